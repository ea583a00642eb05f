# SPDX-License-Identifier: Apache-2.0
"""What a person sees: lines that stay, one that tells what happens now, and questions.

Times are UTC, as those of RDS's events are. Everything goes to standard output but the sentence a script ends with."""
import datetime
import shutil
import sys
import time

# Without a terminal the progress line is a line like any other, so it comes seldom.
EVERY_ON_TERMINAL = 0.5
EVERY_IN_A_FILE = 15


def clock(when=None):
    when = when or datetime.datetime.now(datetime.timezone.utc)
    return when.strftime('%H:%M:%SZ')


def span(seconds):
    """A duration as people say it: 42 s, 3 min 05 s."""
    seconds = int(seconds)
    return f'{seconds} s' if seconds < 60 else f'{seconds // 60} min {seconds % 60:02d} s'


class Say:
    def __init__(self, out=None, ask=None):
        self.out = out or sys.stdout
        self.terminal = self.out.isatty()
        self.read_answer = ask or (input if sys.stdin and sys.stdin.isatty() else None)
        self.step = ''
        self.shown = 0.0
        self.is_live = False

    def line(self, text='', when=None):
        self._clear()
        self.out.write(f'{clock(when)}  {self.step:<10} {text}\n' if text else '\n')
        self.out.flush()

    def plain(self, text=''):
        self._clear()
        self.out.write(text + '\n')
        self.out.flush()

    def loud(self, text):
        """For what a person must not overlook: what was not checked, what went wrong."""
        self.line(f'\x1b[1;33m! {text}\x1b[0m' if self.terminal else f'! {text}')

    def live(self, text):
        now = time.monotonic()
        if now < self.shown + (EVERY_ON_TERMINAL if self.terminal else EVERY_IN_A_FILE):
            return
        self.shown = now
        if not self.terminal:
            self.line(text)
            return
        width = shutil.get_terminal_size().columns
        self.out.write('\r\x1b[K' + f'{clock()}  {self.step:<10} {text}'[:width - 1])
        self.out.flush()
        self.is_live = True

    def may_ask(self):
        return self.read_answer is not None

    def ask(self, question):
        """The answer to a yes-or-no question; nothing but yes is yes."""
        self._clear()
        try:
            return self.read_answer(question + ' [yes/no] ').strip().lower() in ('y', 'yes')
        except EOFError:
            return False

    def _clear(self):
        if self.is_live:
            self.out.write('\r\x1b[K')
        self.is_live = False
