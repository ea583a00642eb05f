# SPDX-License-Identifier: Apache-2.0
"""rds-drive against the site, if asked: constant traffic before, during and after, and a record of each request.

It outlives a killed script, and the next one finds it again by its process id and start time. It ends by itself in any case."""
import json
import os
import shlex
import signal
import subprocess

from .outcome import Failed, Usage

# The first answers must be there before anything is changed.
PROOF = 20


def start_time(pid):
    """The kernel's own word for when a process began; None if there is none of that number."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as text:
            fields = text.read().rsplit(')', 1)[1].split()
        return None if fields[0] in 'ZX' else fields[19]
    except (OSError, IndexError):
        return None


class Traffic:
    """facts: the journal's own entry: {runs: [{pid, started, requests, tokens}]}."""

    def __init__(self, options, journal, say, stop):
        self.options, self.journal, self.say, self.stop = options, journal, say, stop

    def runs(self):
        return self.journal.facts.get('traffic', [])

    def alive(self):
        return [run for run in self.runs() if start_time(run['pid']) == run['started']]

    def command(self, directory, number):
        o = self.options
        records = [os.path.join(directory, f'{name}-{number}.{kind}') for name, kind in (('requests', 'jsonl'), ('tokens', 'tsv'))]
        mix = ['--mix', o.mix] if o.mix else []
        return [o.drive, '--rate', str(o.rate), *mix, '--follow', '--duration', f'{o.patience}min', '--progress', '0', '--timeout', '240s',
                '--seed', str(number), '--token-prefix', f'up-{int(self.journal.began):x}-{number}',
                '--jsonl', records[0], '--tokens', records[1], o.traffic], records

    def plan(self):
        return [shlex.join(self.command('RECORDS', 1)[0])]

    def begin(self):
        if self.alive():
            self.say.line('traffic goes on')
            return
        if not os.access(self.options.drive, os.X_OK):
            raise Usage(f'--drive: there is no program {self.options.drive}; build it (./bootstrap build), or name it')
        number = len(self.runs()) + 1
        line, records = self.command(self.journal.run_directory(), number)
        with open(os.path.join(self.journal.run_directory(), f'drive-{number}.log'), 'w', encoding='utf-8') as log:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        run = {'pid': process.pid, 'started': start_time(process.pid), 'requests': records[0], 'tokens': records[1]}
        self.journal.keep(traffic=self.runs() + [run])
        self.say.line(f'{self.options.rate} requests a second to {self.options.traffic}')
        end = self.stop.now() + PROOF
        while not (os.path.exists(records[0]) and os.path.getsize(records[0])):
            if process.poll() is not None or self.stop.now() > end:
                raise Failed(f'the traffic did not begin: see {log.name}')
            self.stop.wait(0.2)

    def end(self, wait):
        """Sends no more; with wait, until what is under way has been answered."""
        for run in self.alive():
            signal_process(run['pid'], signal.SIGTERM)
        while wait and self.alive():
            self.say.live('waiting for the last answers')
            self.stop.wait(0.2)

    def count(self):
        """(requests that ended, those that failed)."""
        ended = [o for run in self.runs() for o in outcomes(run['requests']) if o != 'pending']
        return len(ended), sum(o != 'ok' for o in ended)


def signal_process(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def outcomes(path):
    """Of each request that has ended: ok, or how it failed (rds-drive --help). A line that a kill cut short is none."""
    try:
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                if line.endswith('\n'):
                    yield json.loads(line)['outcome']
    except FileNotFoundError:
        return
