# SPDX-License-Identifier: Apache-2.0
"""What test programs print for prove."""
import sys

_count = 0
_failed = 0


def ok(good, name):
    global _count, _failed
    _count += 1
    _failed += not good
    print(f'{"ok" if good else "not ok"} {_count} - {name}', flush=True)
    return bool(good)


def eq(got, wanted, name):
    if not ok(got == wanted, name):
        note(f'got    {got!r}\nwanted {wanted!r}')


def has(text, part, name):
    if not ok(part in text, name):
        note(f'no {part!r} in\n{text}')


def note(text):
    print('\n'.join('# ' + line for line in str(text).splitlines()), flush=True)


def done():
    print(f'1..{_count}')
    sys.exit(1 if _failed or not _count else 0)
