# SPDX-License-Identifier: Apache-2.0
"""One call of the AWS CLI, repeated where that is safe.

The CLI repeats failed calls by itself. That is switched off: what only reads is repeated here, where it can be told; what
changes something is repeated only after a throttled call, which AWS did not carry out. A broken answer to a change leaves open
whether it was carried out. Then Unclear is raised, and its step looks at the world before it tries again."""
import json
import os
import random
import re
import shlex
import shutil
import subprocess

from .outcome import Failed, Usage

TRIES = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0
# Seconds. A call that is not answered by then is broken.
CONNECT, READ = 10, 30

THROTTLED = re.compile(r'Throttl|RequestLimitExceeded|TooManyRequests|Rate exceeded|SlowDown')
BROKEN_CODE = re.compile(r'^(Internal(Failure|Error|ServerError)|ServiceUnavailable(Exception)?|RequestTimeout|5\d\d)$')
BROKEN_TEXT = re.compile(r'Unable to parse response|Could not connect to the endpoint|Connection was closed|timeout on endpoint|'
                         r'Connection reset|IncompleteRead|Connection broken|Failed to connect|ResponseStreaming', re.I)
NOT_SET_UP = re.compile(r'Unable to locate credentials|Partial credentials|could not be found|token.* expired|must specify a region|SSO')
ERROR = re.compile(r'An error occurred \(([^)]*)\) when calling the (\w+) operation(?: \([^)]*\))?: ?(.*)', re.S)


class AwsError(Exception):
    """AWS understood and said no. code is AWS's own: DBInstanceNotFound."""

    def __init__(self, code, message):
        super().__init__(f'{code}: {message}')
        self.code, self.message = code, message


class Unclear(Exception):
    """A change whose answer was lost: nobody knows whether it was carried out."""


class Aws:
    """stop.wait(seconds) sleeps and raises when somebody wants the script to end; see steps.Stopper."""

    def __init__(self, say, stop, region=None, endpoint=None, program='aws'):
        self.say, self.stop = say, stop
        self.region = region
        self.endpoint = endpoint if endpoint is not None else os.environ.get('RDS_AWS_ENDPOINT', '')
        self.program = program

    def command(self, service, operation, *words):
        """The command line, as a person could type it."""
        line = [self.program, service, operation, *words]
        if self.region:
            line += ['--region', self.region]
        if self.endpoint:
            line += ['--endpoint-url', self.endpoint]
        return line + ['--output', 'json']

    def show(self, service, operation, *words):
        return ' '.join(shlex.quote(word) for word in self.command(service, operation, *words))

    def read(self, service, operation, *words):
        """The answer of a call that changes nothing. Raises AwsError; Failed if AWS cannot be reached for minutes."""
        return self._call(True, service, operation, *words)

    def change(self, service, operation, *words):
        """The answer of a call that changes something. Raises AwsError or Unclear."""
        return self._call(False, service, operation, *words)

    def _call(self, harmless, service, operation, *words):
        line = self.command(service, operation, *words)
        for attempt in range(TRIES):
            try:
                return self.run(line)
            except Trouble as trouble:
                why = str(trouble)
                if not trouble.throttled and not harmless:
                    raise Unclear(f'{service} {operation}: {why}') from trouble
                if attempt + 1 < TRIES:
                    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt) * random.uniform(0.75, 1.25)
                    self.say.line(f'AWS: {operation}: {why}; again in {pause:.1f} s')
                    self.stop.wait(pause)
        raise Failed(f'{service} {operation} was tried {TRIES} times: {why}. Run the script again when AWS answers')

    def run(self, line):
        """One attempt. Replaced by tests."""
        if not shutil.which(self.program):
            raise Usage('the AWS CLI is not installed: there is no "aws" in PATH')
        env = {**os.environ, 'AWS_MAX_ATTEMPTS': '1', 'AWS_PAGER': ''}
        self.stop.check()
        # In a session of its own: Ctrl-C at the terminal ends the script, between two calls, and never half a call.
        done = subprocess.run(line + ['--cli-connect-timeout', str(CONNECT), '--cli-read-timeout', str(READ)], env=env, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        return understand(done.returncode, done.stdout, done.stderr)


def configured_region(program='aws'):
    """What the CLI has for its profile, or None. The environment comes before it."""
    try:
        done = subprocess.run([program, 'configure', 'get', 'region'], text=True, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout.strip() or None


class Trouble(Exception):
    def __init__(self, text, throttled):
        super().__init__(text)
        self.throttled = throttled


def understand(status, out, err):
    """From what the CLI left behind to the answer, or to AwsError, Trouble or Failed."""
    if status == 0:
        try:
            return json.loads(out) if out.strip() else {}
        except ValueError:
            raise Trouble('its answer is not JSON', False) from None
    err = err.strip()
    match = ERROR.search(err)
    if match:
        code, _, message = match.groups()
        message = ' '.join(message.split())
        if THROTTLED.search(code) or THROTTLED.search(message):
            raise Trouble(f'throttled ({code})', True)
        if BROKEN_CODE.search(code):
            raise Trouble(f'{code} {message}'.strip(), False)
        raise AwsError(code, message)
    text = ' '.join(err.split()) or f'exit code {status}, and not a word'
    if BROKEN_TEXT.search(text):
        raise Trouble(text[:160], False)
    if NOT_SET_UP.search(text):
        raise Usage(f'the AWS CLI is not set up: {text[:200]}')
    raise Failed(f'the AWS CLI says: {text[:300]}')
