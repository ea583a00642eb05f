# SPDX-License-Identifier: Apache-2.0
"""Lets a timeline happen: each step at its time, in a thread of its own. And the hook, which does for real what RDS would.

The hook is a program: PROGRAM standby|failover|rebuild, with RDS_INSTANCE, RDS_CLASS (the class that is to write) and RDS_OUTAGE
(seconds until the new writer is to accept writes) in its environment. standby: change the standby's class. failover: return when
the other side accepts writes. rebuild: what was the writer becomes the standby, of the same class. Not 0 means that it failed.
"""
import os
import subprocess
import sys
import threading
import time

from .timeline import schedule


class Hook:
    """The hook's calls for one timeline, one after the other. Without a program, or for an instance that is not driven: nothing."""

    def __init__(self, world, instance, db_class):
        drives = world.hook and world.data['driven'] == instance
        self._program = world.hook if drives else None
        self._environment = {**os.environ, 'RDS_INSTANCE': instance, 'RDS_CLASS': db_class}
        self._running = None

    def begin(self, verb, outage=0.0):
        self.wait()
        if self._program:
            self._running = verb, subprocess.Popen([*self._program, verb], env={**self._environment, 'RDS_OUTAGE': f'{outage:.3f}'},
                                                   stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def wait(self):
        """Until the last call has ended. Raises RuntimeError if it failed."""
        if self._running:
            (verb, process), self._running = self._running, None
            code = process.wait()
            if code:
                raise RuntimeError(f'the hook failed: {" ".join(self._program)} {verb} ended with {code}')


def outage_of(steps, scale, outage):
    """Real seconds from "strike" to "back"."""
    at = {step.do: when for when, step in schedule(steps, scale, outage)}
    return at['back'] - at['strike'] if 'strike' in at else 0.0


def start(world, steps, source, acts, hook=None, failed=None, words=None):
    """Plays steps from now on. source: (kind, name) of the events; acts: {do: function without arguments}, called with the world's
    lock held, before the event is told; hook: whom the steps drive; failed: called if that goes wrong, and the rest does not happen;
    words: for the events' texts."""
    began = time.monotonic()
    plan = schedule(steps, world.scale, world.outage)
    drives = driven(hook, outage_of(steps, world.scale, world.outage)) if hook else {}

    def happen(step):
        if step.do in drives:
            drives[step.do]()
        with world.lock:
            if step.do in acts:
                acts[step.do]()
            if step.text:
                world.note(*source, step.text.format(**(words or {})), step.category)

    def play():
        try:
            for at, step in plan:
                time.sleep(max(0.0, began + at - time.monotonic()))
                happen(step)
        except RuntimeError as why:
            print(f'rds-api: {why}', file=sys.stderr, flush=True)
            with world.lock:
                failed()

    # What happens at once has happened when the caller is answered.
    while plan and plan[0][0] == 0 and plan[0][1].do not in drives:
        happen(plan.pop(0)[1])
    threading.Thread(target=play, daemon=True).start()


def driven(hook, outage):
    """{do: what of the hook belongs to it}."""
    return {'standby': lambda: hook.begin('standby'), 'strike': lambda: hook.begin('failover', outage), 'back': hook.wait,
            'rebuild': lambda: hook.begin('rebuild'), 'finished': hook.wait, 'available': hook.wait, 'switched': hook.wait}
