# SPDX-License-Identifier: Apache-2.0
"""The question before a change, at a real terminal: yes, no, end of file, Ctrl-C."""
import os
import pty
import sys

import tap
from world import LARGE, Stage, World, change, steps

READY = b'ready\n'


class Stopper(steps.Stopper):
    """The real one, but for time. Says when it waits for a person."""

    def __init__(self, world, say):
        super().__init__(say)
        self.world = world

    def now(self):
        return self.world.now

    def wait(self, seconds):
        self.check()
        self.world.pass_time(seconds)

    def wait_for(self, stream):
        os.write(1, READY)
        super().wait_for(stream)


def script():
    world = World()
    with Stage(Stopper) as stage:
        code, said = stage.run(world, lambda argv: change.main('upgrade', 'test', down=False, argv=argv), '--class', LARGE, '--stack', 'demo',
                               '--state', stage.state, '--poll', '60', options=False)
    os.write(1, f'code {code}, {world.changes} changes, asked {"Go ahead (account 123456789012" in said}, says {"nothing was changed" in said.lower()}\n'.encode())


def answered(keys):
    """The last line of a script at whose question somebody pressed keys."""
    sys.stdout.flush()
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            script()
        finally:
            os._exit(0)
    said, pressed = b'', False
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
        if not pressed and READY.strip() in said:
            os.write(terminal, keys)
            pressed = True
    os.waitpid(pid, 0)
    os.close(terminal)
    return said.decode().strip().splitlines()[-1].replace('^C', '')    # the terminal's echo


tap.eq(answered(b'yes\n'), 'code 0, 1 changes, asked True, says False', 'yes')
tap.eq(answered(b'no\n'), 'code 5, 0 changes, asked True, says True', 'no')
tap.eq(answered(b'\n'), 'code 5, 0 changes, asked True, says True', 'nothing is no')
tap.eq(answered(b'\x04'), 'code 5, 0 changes, asked True, says True', 'the end of the input is no')
tap.eq(answered(b'\x03'), 'code 130, 0 changes, asked True, says True', 'Ctrl-C')
tap.done()
