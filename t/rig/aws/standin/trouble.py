# SPDX-License-Identifier: Apache-2.0
"""Answers as a bad day has them. A trouble is {what, times, operation}: for the next so many requests, of one operation or any.

throttle, unavailable   refused, nothing is done
html, empty, cut        done, but the answer is a proxy's page, nothing, or half of itself
lost                    done, and the connection is closed without an answer
reset                   nothing is done, and the connection is closed
"""
from .model import Fault

BEFORE = {'throttle': ('Throttling', 'Rate exceeded'), 'unavailable': ('ServiceUnavailable', 'Service is unable to handle request.')}
KINDS = (*BEFORE, 'html', 'empty', 'cut', 'lost', 'reset')
PAGE = b'<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>'


def parse(text):
    """WHAT[:TIMES[:OPERATION]] to a trouble; ValueError for anything else."""
    what, times, operation = (text.split(':') + ['', ''])[:3]
    if what not in KINDS:
        raise ValueError(f'"{what}" is not one of {", ".join(KINDS)}')
    return {'what': what, 'times': int(times or 1), 'operation': operation or None}


def due(world, operation):
    """The trouble that this request is in for; None mostly. Each is used up."""
    for one in world.data['trouble']:
        if one['times'] > 0 and one.get('operation') in (None, operation):
            one['times'] -= 1
            return one['what']
    return None


def refuse(what):
    if what in BEFORE:
        raise Fault(*BEFORE[what])


def spoil(what, status, body):
    """(status, body, promised length) of an answer; None closes the connection instead."""
    if what in ('lost', 'reset'):
        return None
    if what == 'html':
        return 502, PAGE, len(PAGE)
    if what == 'empty':
        return status, b'', 0
    if what == 'cut':
        return status, body[:len(body) // 2], len(body)
    return status, body, len(body)
