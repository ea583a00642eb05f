# SPDX-License-Identifier: Apache-2.0
"""Throttling, broken and lost answers, and an RDS that does not do what it was asked."""
import os
import tempfile

import tap
from world import LARGE, SITE, SMALL, Stage, World, aws, bluegreen, change, failover, stamp

WORDS = ['--class', LARGE, '--stack', 'demo', *SITE]


def upgrade(argv):
    return change.main('upgrade', 'test', down=False, argv=argv)


# ---- what the CLI says, understood --------------------------------------------------------------------------------------

def understood(status, out, err):
    try:
        return aws.understand(status, out, err)
    except (aws.AwsError, aws.Trouble, aws.Failed, aws.Usage) as error:
        return type(error).__name__, getattr(error, 'throttled', None)


for err, wanted in (
        ('An error occurred (Throttling) when calling the ModifyDBInstance operation (reached max retries: 0): Rate exceeded', ('Trouble', True)),
        ('An error occurred (ThrottlingException) when calling the GetMetricData operation: Rate exceeded', ('Trouble', True)),
        ('An error occurred (InternalFailure) when calling the DescribeDBInstances operation: ', ('Trouble', False)),
        ('An error occurred (503) when calling the DescribeDBInstances operation: Service Unavailable', ('Trouble', False)),
        ('Unable to parse response (syntax error: line 1, column 0), invalid XML received', ('Trouble', False)),
        ('Could not connect to the endpoint URL: "http://127.0.0.1:1/"', ('Trouble', False)),
        ('Connection was closed before we received a valid response from endpoint URL', ('Trouble', False)),
        ('Read timeout on endpoint URL: "http://127.0.0.1/"', ('Trouble', False)),
        ('An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: DBInstance x not found.', ('AwsError', None)),
        ('An error occurred (AccessDenied) when calling the ModifyDBInstance operation: User is not authorized', ('AwsError', None)),
        ('Unable to locate credentials. You can configure credentials by running "aws configure".', ('Usage', None)),
        ('usage: aws [options] <command>\naws: error: argument operation: Invalid choice', ('Failed', None))):
    tap.eq(understood(254, '', err), wanted, err.splitlines()[0][:70])
tap.eq(understood(0, '{"a": 1}', ''), {'a': 1}, 'an answer')
tap.eq(understood(0, '{"a": ', ''), ('Trouble', False), 'half an answer')

# ---- which region ---------------------------------------------------------------------------------------------------------

with tempfile.TemporaryDirectory() as where:
    program = os.path.join(where, 'aws')
    for text, wanted in (('[ "$*" = "configure get region" ] && echo eu-west-1', 'eu-west-1'), ('exit 1', None)):
        with open(program, 'w', encoding='utf-8') as out:
            out.write('#!/bin/sh\n' + text + '\n')
        os.chmod(program, 0o755)
        tap.eq(aws.configured_region(program), wanted, f"the CLI's own region: {wanted}")
    tap.eq(aws.configured_region(program + '-none'), None, 'and none without a CLI')

# ---- in the middle of an upgrade ----------------------------------------------------------------------------------------

calls = World()
with Stage() as stage:
    stage.run(calls, upgrade, *WORDS)
total = sum(calls.asked.values())

for what, trouble in (('throttled', aws.Trouble('throttled (Throttling)', True)), ('broken before it is carried out', aws.Trouble('InternalFailure', False)),
                      ('lost after it was carried out', 'lost')):
    bad = []
    for n in range(total):
        world = World()
        world.trouble = [None] * n + [trouble] * 2
        with Stage() as stage:
            code, said = stage.run(world, upgrade, *WORDS)
        right = code == 0 and world.changes == 1 and len(world.snapshots) == 1 and world.stack['Parameters'][0]['ParameterValue'] == LARGE
        if not right:
            bad.append(f'call {n}: exit code {code}, {world.changes} changes, {len(world.snapshots)} snapshots\n{said[-600:]}')
    tap.ok(not bad, f'each of {total} calls {what}, twice in a row: it ends right, with one change and one snapshot')
    tap.note('\n'.join(bad[:3]))

with Stage() as stage:
    world = World()
    world.trouble = [aws.Trouble('InternalFailure', False)] * 100
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq(code, 1, 'an AWS that never answers ends it')
    tap.has(said, 'Run the script again when AWS answers', 'and says what to do')

# ---- an RDS that gives up -----------------------------------------------------------------------------------------------

with Stage() as stage:
    world = World()
    begin = world.modify_db_instance

    def gives_up(words):
        world.must_be_available()
        world.instance['PendingModifiedValues'] = {'DBInstanceClass': LARGE}
        world.after(30, lambda: (world.instance.update(PendingModifiedValues={}), world.tell('Unable to modify database instance class')))
        return {}
    world.modify_db_instance = gives_up
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq(code, 1, 'RDS gives the change up: exit code')
    tap.has(said, 'it has given the change up', 'says so')
    tap.has(said, 'Unable to modify database instance class', "with RDS's own words")
    tap.eq(world.stack['Parameters'][0]['ParameterValue'], SMALL, 'the stack is not told')
    world.modify_db_instance = begin
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq((code, world.instance['DBInstanceClass']), (0, LARGE), 'run again, it asks once more')

with Stage() as stage:
    world = World()
    world.modify_db_instance = lambda _: (_ for _ in ()).throw(aws.AwsError('InsufficientDBInstanceCapacity', 'Cannot modify'))
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq(code, 1, 'no capacity: exit code')
    tap.has(said, 'Nothing was changed', 'says so')

with Stage() as stage:
    world = World()
    world.after(400, lambda: world.instance.update(DBInstanceStatus='incompatible-parameters'))
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq(code, 1, 'incompatible-parameters: exit code')
    tap.has(said, 'RDS needs you', 'says so')

with Stage() as stage:
    world = World()
    code, said = stage.run(world, upgrade, *WORDS, '--patience', '10')
    tap.eq(code, 1, 'longer than --patience: exit code')
    tap.has(said, 'run it again to follow', 'says what to do')
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq((code, world.changes), (0, 1), 'run again, it follows to the end')

def blue_green(argv):
    return bluegreen.main('blue-green', 'test', argv)


with Stage() as stage:
    world = World()
    switch = world.switchover_blue_green_deployment
    world.switchover_blue_green_deployment = lambda _: {}
    code, said = stage.run(world, blue_green, '--instance', 'shop', '--version', '8.4.7', '--switch', *SITE)
    tap.eq(code, 1, 'a switchover that RDS takes back: exit code')
    tap.has(said, 'the switchover was rolled back by RDS, and shop is as before', 'says so')
    world.switchover_blue_green_deployment = switch
    code, said = stage.run(world, blue_green, '--instance', 'shop', '--version', '8.4.7', '--switch', *SITE)
    tap.eq((code, world.instance['EngineVersion']), (0, '8.4.7'), 'run again, it switches')

with Stage() as stage:
    world = World()
    world.after(300, lambda: world.deployment.update(Status='INVALID_CONFIGURATION', StatusDetails='binlog_format is STATEMENT'))
    code, said = stage.run(world, blue_green, '--instance', 'shop', '--version', '8.4.7', *SITE)
    tap.eq(code, 1, 'a copy that cannot follow: exit code')
    tap.has(said, 'INVALID_CONFIGURATION (binlog_format is STATEMENT)', "with RDS's own words")

with Stage() as stage:
    world = World()
    reboot = world.reboot_db_instance
    world.reboot_db_instance = lambda _: {}
    code, said = stage.run(world, lambda argv: failover.main('failover', 'test', argv), '--instance', 'shop', *SITE)
    tap.eq(code, 1, 'a failover that does not come: exit code')
    tap.has(said, 'given the change up', 'says so')
    world.reboot_db_instance = reboot
    code, said = stage.run(world, lambda argv: failover.main('failover', 'test', argv), '--instance', 'shop', *SITE)
    tap.eq((code, world.changes), (0, 1), 'run again, it asks once more')

# The zones are told late: the events tell of the failover, and nobody waits for ever.
with Stage() as stage:
    world = World()
    world.reboot_db_instance = lambda _: (world.after(10, lambda: world.tell('Multi-AZ instance failover started.')),
                                          world.after(70, lambda: world.tell('Multi-AZ instance failover completed')), {})[-1]
    code, said = stage.run(world, lambda argv: failover.main('failover', 'test', argv), '--instance', 'shop')
    tap.eq(code, 0, 'zones that RDS does not tell: exit code')
    tap.has(said, 'still names eu-west-1a; it may be late', 'says so')

# Somebody else's change, between an answer that was lost and the next try: asking again would apply theirs too.
with Stage() as stage:
    world = World()
    world.snapshots.append({'DBSnapshotIdentifier': 'recent', 'Status': 'available', 'SnapshotCreateTime': stamp(world.now)})
    world.modify_db_instance = lambda _: (_ for _ in ()).throw(aws.Trouble('InternalFailure', False))
    world.after(1, lambda: world.instance.update(PendingModifiedValues={'EngineVersion': '8.4.7'}))
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq((code, world.changes), (1, 0), "somebody else's change after a lost answer: exit code, nothing is asked")
    tap.has(said, 'another change meanwhile (EngineVersion)', 'says which')

# ---- a stack that cannot be updated -------------------------------------------------------------------------------------

with Stage() as stage:
    world = World()
    update, asked = world.update_stack, []

    def fails(words):
        asked.append(words)
        update(words)
        world.after(30, lambda: world.stack.update(StackStatus='UPDATE_FAILED'))
        return {}
    world.update_stack = fails
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq(code, 1, 'an update of the stack that fails: exit code')
    tap.has(said, f'is UPDATE_FAILED and says DbInstanceClass={LARGE}', 'says how the stack is')
    tap.ok('--disable-rollback' in asked[0], 'and nothing rolls the class back')

    def retried(words):
        world.stack.update(StackStatus='UPDATE_COMPLETE')
        return {}
    world.update_stack = retried
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq((code, world.stack['StackStatus'], world.changes), (0, 'UPDATE_COMPLETE', 1), 'run again, the update is tried again')

# ---- done, but not as hoped ---------------------------------------------------------------------------------------------

with Stage() as stage:
    world = World()
    world.after(700, lambda: world.host.update(troubled=3))
    code, said = stage.run(world, upgrade, *WORDS)
    tap.eq(code, 4, 'requests failed: exit code')
    tap.has(said, '3 failed after they were let go', 'says how many')
    tap.eq(world.stack['Parameters'][0]['ParameterValue'], LARGE, 'and everything else is done all the same')

# ---- a switch that somebody began elsewhere ------------------------------------------------------------------------------

for state, wanted in (('SWITCHOVER_IN_PROGRESS', 0), ('SWITCHOVER_COMPLETED', 4)):
    with Stage() as stage:
        world = World()
        world.deployment = {'BlueGreenDeploymentIdentifier': 'bgd-1', 'BlueGreenDeploymentName': 'shop-8-4-7', 'Status': 'AVAILABLE', 'version': '8.4.7',
                            'Target': 'arn:aws:rds:eu-west-1:123456789012:db:shop-green-1'}
        world.switchover_blue_green_deployment({})
        world.pass_time(5 if state == 'SWITCHOVER_IN_PROGRESS' else 200)
        tap.eq(world.deployment['Status'], state, f'a deployment that is {state}, without a journal')
        code, said = stage.run(world, blue_green, '--instance', 'shop', '--version', '8.4.7', '--switch', *SITE)
        tap.eq((code, world.deployment), (wanted, None), 'is followed to its end and tidied')
        tap.has(said, 'shop is mysql 8.4.7 at shop.rds.test', 'and verified')
        tap.eq(world.changes, 1, 'nobody switches twice')

# ---- longer than anybody waits ------------------------------------------------------------------------------------------

def no_end_of_snapshots(world):
    world.after(1, world.later.clear)


def busy_once_armed(world):
    world.snapshots.append({'DBSnapshotIdentifier': 'recent', 'Status': 'available', 'SnapshotCreateTime': stamp(world.now)})
    order = world.order
    world.order = lambda form: world.instance.update(DBInstanceStatus='storage-optimization') or order(form)


def somebody_elses_update(world):
    world.snapshots.append({'DBSnapshotIdentifier': 'recent', 'Status': 'available', 'SnapshotCreateTime': stamp(world.now)})
    world.after(1190, lambda: world.stack.update(StackStatus='UPDATE_IN_PROGRESS'))


with Stage() as stage:
    world = World()
    somebody_elses_update(world)
    code, said = stage.run(world, upgrade, *WORDS, '--patience', '30')
    tap.eq((code, world.instance['DBInstanceClass']), (1, LARGE), 'a stack that is busy for ever: exit code, the database is changed')
    tap.has(said, 'stack demo: UPDATE_IN_PROGRESS: longer than --patience', 'says so')

for name, spoil, words in (
        ('a snapshot', no_end_of_snapshots, 'creating, 0 %: longer than --patience'),
        ('an instance that is busy just then', busy_once_armed, 'shop is storage-optimization; waiting until it is available: longer than')):
    with Stage() as stage:
        world = World()
        spoil(world)
        code, said = stage.run(world, upgrade, *WORDS, '--patience', '30')
        tap.eq((code, world.changes), (1, 0), f'{name} that never ends: exit code, nothing changed')
        tap.has(said, words, 'says so')

# ---- another procedure under way ----------------------------------------------------------------------------------------

with Stage() as stage:
    world = World()
    world.allowed.append('db.t4g.large')
    stage.run(world, upgrade, *WORDS, '--patience', '10')
    code, said = stage.run(world, upgrade, '--class', 'db.t4g.large', '--stack', 'demo', *SITE)
    tap.eq(code, 3, 'another class while an upgrade is unfinished: refused')
    tap.has(said, f'upgrade of shop to {LARGE} was begun and is not finished', 'says which')
tap.done()
