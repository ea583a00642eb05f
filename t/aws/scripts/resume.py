# SPDX-License-Identifier: Apache-2.0
"""A script killed at every single moment (before and after each call of AWS, each request to a host, each change of its journal)
and run again ends right: the database changed once, the stack agrees, nobody is left armed, one snapshot at most."""
import os

import tap
from world import LARGE, SITE, SMALL, Stage, World, bluegreen, change, failover, journal

ALWAYS = ('check', 'arm', 'follow', 'verify', 'disarm', 'report')


def common(world, state, code, said, changes):
    """What is not as it should be at the end of any procedure: [(whether, what)]."""
    where = os.path.join(state, 'eu-west-1', 'shop')
    left = [name for name in os.listdir(where) if name.startswith('journal')]
    finished = [name for name in os.listdir(where) if os.path.exists(os.path.join(where, name, 'journal.json'))]
    return [
        (code != 0, f'exit code {code}'), (world.changes != changes, f'{world.changes} changes'),
        (world.instance['AvailabilityZone'] != 'eu-west-1b', 'no failover'),
        (world.orders[-1:] != ['disarm'], f'orders {world.orders[-3:]}'), ('arm' not in world.orders, 'never armed'),
        (left, f'left: {left}'), (len(finished) != 1, f'{len(finished)} finished journals'), ('the page' not in said, 'no page')]


class Change:
    steps = (*ALWAYS, 'snapshot', 'traffic', 'modify', 'reconcile')
    changes = 1

    def __init__(self, name, start, target):
        self.name, self.start, self.target = name, start, target
        self.words = ['--class', target, '--stack', 'demo', *SITE]

    def main(self, argv):
        return change.main(self.name, 'test', down=self.name == 'downgrade', argv=argv)

    def wrong(self, world):
        return [
            (world.instance['DBInstanceClass'] != self.target, f'class {world.instance["DBInstanceClass"]}'),
            (len(world.snapshots) != 1, f'{len(world.snapshots)} snapshots'),
            (world.stack['Parameters'][0]['ParameterValue'] != self.target, 'the stack says another class'),
            (world.stack['StackStatus'] != 'UPDATE_COMPLETE', f'stack {world.stack["StackStatus"]}')]


class Failover:
    name, start, changes = 'failover', SMALL, 1
    steps = (*ALWAYS, 'hold', 'reboot', 'release')
    words = ['--instance', 'shop', '--hold', *SITE]

    def main(self, argv):
        return failover.main('failover', 'test', argv)

    def wrong(self, world):
        return [(world.host['order'], 'still held')]


class BlueGreen:
    name, start, changes = 'blue-green', SMALL, 2
    steps = (*ALWAYS, 'create', 'green', 'switch', 'tidy')
    words = ['--instance', 'shop', '--version', '8.4.7', '--switch', *SITE]

    def main(self, argv):
        return bluegreen.main('blue-green', 'test', argv)

    def wrong(self, world):
        return [(world.instance['EngineVersion'] != '8.4.7', 'version'), (world.deployment, 'the deployment is left')]


def play(what, moment, pause):
    """(what was wrong, the step it was killed in; None if it was not killed at all)."""
    world = World(what.start)
    world.kill = moment
    with Stage() as stage:
        code, said = stage.run(world, what.main, *what.words)
        if code != 'killed':
            return faults(what, world, stage.state, code, said), None
        where = os.path.join(stage.state, 'eu-west-1', 'shop')
        known = journal.read(os.path.join(where, 'journal.json'))
        step = list(known['steps'])[-1] if known and known['steps'] else 'begin'
        # Its journal is with the records of what has been done: killed at the very end.
        if not known and os.path.isdir(where) and any(os.path.exists(os.path.join(where, name, 'journal.json')) for name in os.listdir(where)):
            return faults(what, world, stage.state, 0, said), 'end'
        world.kill = None
        world.pass_time(pause)
        code, more = stage.run(world, what.main, *what.words)
        return faults(what, world, stage.state, code, said + more), step


def faults(what, world, state, code, said):
    return [text for is_wrong, text in common(world, state, code, said, what.changes) + what.wrong(world) if is_wrong]


for what, pauses in ((Change('upgrade', SMALL, LARGE), (2, 5000)), (Change('downgrade', LARGE, SMALL), (2,)), (Failover(), (2, 60)), (BlueGreen(), (2,))):
    found, _ = play(what, None, 0)
    tap.eq(found, [], f'{what.name}, not killed')
    for pause in pauses:
        killed, bad, moment = {}, [], 1
        while True:
            found, step = play(what, moment, pause)
            if step is None:
                break
            killed[step] = killed.get(step, 0) + 1
            if found:
                bad.append(f'moment {moment}, step {step}: {"; ".join(found)}')
            moment += 1
        tap.ok(not bad, f'{what.name}, killed at each of {moment - 1} moments and run again {pause} s later, ends right')
        tap.note('\n'.join(bad[:10]))
        for wanted in what.steps:
            tap.ok(killed.get(wanted), f'among them {killed.get(wanted, 0)} in step {wanted}')
tap.done()
