# SPDX-License-Identifier: Apache-2.0
"""A script killed at every single moment (before and after each call of AWS, each request to a host, each change of its journal)
and run again ends right: the class changed once, the stack agrees, nobody is left armed, one snapshot at most."""
import os

import tap
from world import LARGE, SITE, SMALL, Stage, World, change, journal


def upgrade(argv):
    return change.main('upgrade', 'test', down=False, argv=argv)


def downgrade(argv):
    return change.main('downgrade', 'test', down=True, argv=argv)


def wrong(world, state, code, said, target):
    """What is not as it should be at the end of everything."""
    where = os.path.join(state, 'eu-west-1', 'shop')
    left = [name for name in os.listdir(where) if name.startswith('journal')]
    finished = [name for name in os.listdir(where) if os.path.exists(os.path.join(where, name, 'journal.json'))]
    return [text for is_wrong, text in (
        (code != 0, f'exit code {code}'),
        (world.instance['DBInstanceClass'] != target, f'class {world.instance["DBInstanceClass"]}'),
        (world.changes != 1, f'{world.changes} changes'),
        (world.instance['AvailabilityZone'] != 'eu-west-1b', 'no failover'),
        (len(world.snapshots) != 1, f'{len(world.snapshots)} snapshots'),
        (world.stack['Parameters'][0]['ParameterValue'] != target, 'the stack says another class'),
        (world.stack['StackStatus'] != 'UPDATE_COMPLETE', f'stack {world.stack["StackStatus"]}'),
        (world.orders[-1:] != ['disarm'], f'orders {world.orders[-3:]}'),
        ('arm' not in world.orders, 'never armed'),
        (left, f'left: {left}'), (len(finished) != 1, f'{len(finished)} finished journals'),
        ('the page' not in said, 'no page'),
    ) if is_wrong]


def play(main, target, start, moment, pause):
    """(what was wrong, the step it was killed in, whether it was killed at all)."""
    world = World(start)
    world.kill = moment
    words = ['--class', target, '--stack', 'demo', *SITE]
    with Stage() as stage:
        code, said = stage.run(world, main, *words)
        if code != 'killed':
            return wrong(world, stage.state, code, said, target), None, False
        known = journal.read(os.path.join(stage.state, 'eu-west-1', 'shop', 'journal.json'))
        step = list(known['steps'])[-1] if known and known['steps'] else 'begin'
        world.kill = None
        world.pass_time(pause)
        code, more = stage.run(world, main, *words)
        said += more
        # Killed after the last word was written, it has nothing left to do: the second run refuses, the class being there.
        if code == 3 and f'is {target} already' in more and not known:
            return [], 'end', True
        return wrong(world, stage.state, code, said, target), step, True


for name, main, start, target in (('upgrade', upgrade, SMALL, LARGE), ('downgrade', downgrade, LARGE, SMALL)):
    faults, step, _ = play(main, target, start, None, 0)
    tap.eq(faults, [], f'{name}, not killed')
    for pause in (2, 5000):
        killed, bad = {}, []
        moment = 0
        while True:
            moment += 1
            faults, step, was_killed = play(main, target, start, moment, pause)
            if not was_killed:
                break
            killed[step] = killed.get(step, 0) + 1
            if faults:
                bad.append(f'moment {moment}, step {step}: {"; ".join(faults)}')
        tap.ok(not bad, f'{name}, killed at each of {moment - 1} moments and run again {pause} s later, ends right')
        tap.note('\n'.join(bad[:10]))
        for wanted in ('check', 'snapshot', 'traffic', 'arm', 'modify', 'follow', 'verify', 'disarm', 'reconcile', 'report'):
            tap.ok(killed.get(wanted), f'among them {killed.get(wanted, 0)} in step {wanted}')
tap.done()
