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


def clock():
    return datetime.datetime.now(datetime.timezone.utc).strftime('%H:%M:%SZ')


def span(seconds):
    """A duration as people say it: 42 s, 3 min 05 s."""
    seconds = int(seconds)
    return f'{seconds} s' if seconds < 60 else f'{seconds // 60} min {seconds % 60:02d} s'


class Say:
    def __init__(self):
        self.out = sys.stdout
        self.terminal = self.out.isatty()
        self.step = ''
        self.shown = 0.0
        self.is_live = False

    def line(self, text=''):
        self._put(f'{clock()}  {self.step:<10} {text}\n' if text else '\n')

    def plain(self, text=''):
        self._put(text + '\n')

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
        self._put(f'{clock()}  {self.step:<10} {text}'[:width - 1])
        self.is_live = True

    def may_ask(self):
        return bool(sys.stdin) and sys.stdin.isatty()

    def ask(self, question, wait):
        """The answer to a yes-or-no question; nothing but yes is yes. wait(stream) returns when there is something to read."""
        self._put(question + ' [yes/no] ')
        wait(sys.stdin)
        return sys.stdin.readline().strip().lower() in ('y', 'yes')

    def _put(self, text):
        """A terminal that has gone is no reason to stop in the middle: the journal tells as much."""
        try:
            self.out.write(('\r\x1b[K' if self.is_live else '') + text)
            self.out.flush()
        except OSError:
            pass
        self.is_live = False
