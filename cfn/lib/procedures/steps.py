# SPDX-License-Identifier: Apache-2.0
"""A procedure as a list of steps: resumed, interrupted, or only shown.

A step looks at the world before it acts, so it may run twice. The journal says which steps are done. Until the database is asked
to change (the journal's fact "asked"), all of them run again at the next start, because what they found may be old by then."""
import dataclasses
import os
import select
import signal
import time
from typing import Callable, List

from .aws import Unclear
from .outcome import Failed, Interrupted

# A change whose answer was lost is looked after and tried again this often.
UNCLEAR_TRIES = 4


@dataclasses.dataclass
class Step:
    name: str
    title: str
    run: Callable[[], None]
    plan: Callable[[], List[str]] = lambda: []
    # Runs at each start of the script, whatever the journal says: for what ends with the script.
    always: bool = False


class Stopper:
    """INT, TERM and HUP end the script between two calls, at once while it only waits. The second one does not wait."""

    def __init__(self, say):
        self.say = say
        self.number = 0
        # A pipe and not an Event: its lock is no place for a signal handler.
        self.heard, self.speak = os.pipe()

    def listen(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, number, _frame):
        if self.number:
            os._exit(128 + number)
        self.number = number
        os.write(self.speak, b'.')

    def now(self):
        """Seconds of a clock that only goes forward. Tests give another."""
        return time.monotonic()

    def check(self):
        if self.number:
            raise Interrupted(self.number)

    def wait(self, seconds):
        self.check()
        select.select([self.heard], [], [], seconds)
        self.check()

    def wait_for(self, stream):
        self.check()
        select.select([self.heard, stream], [], [])
        self.check()


class Procedure:
    def __init__(self, say, stop, journal, steps, command):
        """command: what a person types to go on."""
        self.say, self.stop, self.journal, self.steps, self.command = say, stop, journal, steps, command

    def committed(self):
        """Whether the database has been asked to change, or may have been."""
        return bool(self.journal.facts.get('asked'))

    def run(self):
        try:
            for step in self.steps:
                self._step(step)
        except Interrupted:
            self.say.plain()
            self.say.plain(f'Stopped in step "{self.say.step}". {self.where_it_stands()}')
            raise
        self.journal.finish()

    def _step(self, step):
        self.say.step = step.name
        if self.journal.steps.get(step.name) == 'done' and self.committed() and not step.always:
            self.say.line('done before')
            return
        self.stop.check()
        self.journal.mark(step.name, 'begun')
        for attempt in range(UNCLEAR_TRIES):
            try:
                step.run()
                break
            except Unclear as why:
                self.say.loud(f'{why}: nobody knows whether it was carried out. Looking')
                if attempt + 1 == UNCLEAR_TRIES:
                    raise Failed(f'AWS gave {UNCLEAR_TRIES} broken answers in step "{step.name}". {self.where_it_stands()}') from None
                self.stop.wait(1)
        self.journal.mark(step.name, 'done')

    def where_it_stands(self):
        if not self.committed():
            return f'Nothing was changed at the database. To go on: {self.command}'
        return f'What RDS has begun goes on without this script. To follow it and do the rest: {self.command}'

    def show(self):
        """Dry run: what each step would do. The caller has run the checks."""
        for step in self.steps:
            self.say.plain(f'{step.name:<10} {step.title}')
            for line in step.plan():
                self.say.plain(f'{"":<10}   {line}')
