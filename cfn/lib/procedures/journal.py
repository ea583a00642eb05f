# SPDX-License-Identifier: Apache-2.0
"""What has been done, in a file that survives a kill at any moment.

One directory for each instance: journal.json is the procedure under way; finished ones lie beside it, by their time. The file
is replaced whole by rename, after it has reached the disk; nobody ever sees half of one. A lock keeps a second script out: it
is the kernel's, so it goes with its process, however that ends."""
import fcntl
import json
import os
import time

from .outcome import Refused, Usage


def directory(state, region, instance):
    return os.path.join(state, region or 'default', instance)


def default_state():
    home = os.environ.get('XDG_STATE_HOME') or os.path.join(os.path.expanduser('~'), '.local', 'state')
    return os.path.join(home, 'rdsfailover')


class Journal:
    """steps: {name: 'begun' | 'done'}; facts: whatever a step must still know after a kill."""

    def __init__(self, where, what):
        """what: {procedure, instance, …}; a journal under way must be of the same."""
        self.where = where
        self.path = os.path.join(where, 'journal.json')
        self.what = what
        self.steps, self.facts = {}, {}
        self.began = time.time()
        self.resumed = False
        self.lock = None

    def open(self):
        """Take the lock and read what is there. Raises Refused if another script, or another procedure, is under way."""
        os.makedirs(self.where, mode=0o700, exist_ok=True)
        self.lock = open(os.path.join(self.where, 'lock'), 'a+', encoding='utf-8')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f'another script is at work on {self.what["instance"]}: it holds {self.lock.name}. Wait for it, or end it') from None
        known = read(self.path)
        if not known:
            return
        if known['what'] != self.what and not known['facts'].get('asked'):
            # Nothing came of it. Only its traffic may still run.
            self.facts = {'traffic': known['facts'].get('traffic', [])}
            return
        if known['what'] != self.what:
            raise Refused(f'{describe(known["what"])} was begun and is not finished ({self.path}). Finish it by the same command as before, '
                          'or see by cfn/bin/status that nothing is under way and delete that file')
        self.steps, self.facts, self.began = known['steps'], known['facts'], known['began']
        self.resumed = bool(self.steps)

    def mark(self, step, state):
        self.steps[step] = state
        self.save()

    def keep(self, **facts):
        self.facts.update(facts)
        self.save()

    def forget(self, *steps):
        """The database did not do what it was asked; ask again next time."""
        for step in steps:
            self.steps.pop(step, None)
        self.facts.pop('asked', None)
        self.save()

    def save(self):
        text = json.dumps({'what': self.what, 'began': self.began, 'steps': self.steps, 'facts': self.facts}, indent=2)
        new = self.path + '.new'
        with open(new, 'w', encoding='utf-8') as out:
            out.write(text + '\n')
            out.flush()
            os.fsync(out.fileno())
        os.replace(new, self.path)

    def run_directory(self):
        """Where this procedure leaves its records: the same one after each resumption."""
        path = os.path.join(self.where, time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime(self.began)))
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def finish(self):
        """The procedure is over; its journal goes to its records."""
        if os.path.exists(self.path):
            os.replace(self.path, os.path.join(self.run_directory(), 'journal.json'))

    def drop(self):
        """Nothing was changed: as if it had never begun."""
        if os.path.exists(self.path):
            os.unlink(self.path)


def read(path):
    """A journal, or None. Also for status, which takes no lock."""
    try:
        with open(path, encoding='utf-8') as text:
            return json.load(text)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Usage(f'the journal {path} cannot be read: {error}') from None


def describe(what):
    target = what.get('class') or what.get('version')
    return f'{what["procedure"]} of {what["instance"]}' + (f' to {target}' if target else '')
