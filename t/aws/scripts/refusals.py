# SPDX-License-Identifier: Apache-2.0
"""Each check's refusal: its exit code, its sentence, and that nothing was changed."""
import tap
from world import LARGE, SITE, SMALL, Stage, World, bluegreen, change, failover, stamp, status

CHANGES = {'modify-db-instance', 'create-db-snapshot', 'update-stack'}


class Database:
    """What stands for the site's own database."""
    open = []
    numbers_now = {'pool': 4 << 30, 'data': 1 << 29, 'max_connections': 614}

    def transactions(self, _longest):
        return self.open

    def numbers(self):
        return self.numbers_now

    def takes_writes(self):
        return True


def upgrade(argv):
    return change.main('upgrade', 'test', down=False, argv=argv)


def downgrade(argv):
    return change.main('downgrade', 'test', down=True, argv=argv)


def refused(name, words, spoil, *argv, down=False, database=None):
    world = World(LARGE if down else SMALL)
    spoil(world)
    with Stage() as stage:
        code, said = stage.run(world, downgrade if down else upgrade, '--class', SMALL if down else LARGE, '--stack', 'demo', *SITE, *argv, database=database)
    tap.eq(code, 3, f'{name}: exit code')
    for word in words:
        tap.has(said, word, f'{name}: says {word!r}')
    tap.eq(CHANGES & set(world.asked), set(), f'{name}: nothing was changed')
    tap.eq(world.orders, [], f'{name}: no module was told')


def busy(seconds):
    return type('Busy', (Database,), {'open': [(77, seconds, 'UPDATE orders SET …')]})


def full(data, connections=614):
    return type('Full', (Database,), {'numbers_now': {'pool': 4 << 30, 'data': data, 'max_connections': connections}})


def put(**values):
    return lambda world: world.instance.update(values)


def has_class(name):
    return lambda world: (world.instance.update(DBInstanceClass=name), world.stack['Parameters'][0].update(ParameterValue=name))


refused('status', ['"backing-up"', 'wait until'], put(DBInstanceStatus='backing-up'))
refused('multi-az', ['not Multi-AZ', 'Make it Multi-AZ first'], put(MultiAZ=False, SecondaryAvailabilityZone=''))
refused('secondary-az', ['no secondary availability zone'], put(SecondaryAvailabilityZone=''))
refused('same class', [f'is {LARGE} already', 'another --class'], has_class(LARGE))
refused('smaller class', ['is smaller than', 'cfn/bin/downgrade'], has_class('db.r7g.large'))
refused('orderable', [f'{LARGE} cannot be had for mysql 8.4.6'], lambda w: w.orderable.pop(LARGE))
refused('orderable storage', [f'{LARGE} takes no gp3 storage', 'io1 are taken'], lambda w: w.orderable[LARGE].update(StorageType='io1'))
refused('multi-az-capable', [f'{LARGE} cannot be Multi-AZ'], lambda w: w.orderable[LARGE].update(MultiAZCapable=False))
refused('zones', ['not offered in eu-west-1b'], lambda w: w.orderable[LARGE].update(AvailabilityZones=[{'Name': 'eu-west-1a'}]))
refused('class storage', ['takes 50 to 65536 GiB', 'cannot shrink'], lambda w: w.orderable[LARGE].update(MinStorageSize=50))
refused('pending', ['EngineVersion=8.4.7', 'apply them first'], put(PendingModifiedValues={'EngineVersion': '8.4.7'}))
refused('maintenance', ['about to be maintained (system-update)'], lambda w: w.maintenance.append({'Action': 'system-update', 'OptInStatus': 'immediate'}))
refused('free storage', ['nearly full', '1.0 GiB of 20 GiB', 'AllocatedStorage'], lambda w: w.metrics.update(free_storage=[1 << 30, 9 << 30]))
refused('long transaction', ['connection 77', '340 s', 'rds_kill(77)'], lambda w: None, database=busy(340))
refused('drift', [f'says DbInstanceClass={LARGE}, but shop is {SMALL}', 'Update the stack to db.t4g.small first'],
        lambda w: w.stack['Parameters'][0].update(ParameterValue=LARGE))
refused('stack busy', ['is UPDATE_IN_PROGRESS'], lambda w: w.stack.update(StackStatus='UPDATE_IN_PROGRESS'))
refused('stack list', [f'does not allow {LARGE}'], lambda w: w.allowed.remove(LARGE))
refused('another stack', ['has the database other, not shop'], lambda w: w.stack['Outputs'][0].update(OutputValue='other'), '--instance', 'shop')
refused('not the root stack', ['has no parameter DbInstanceClass'], lambda w: w.stack['Parameters'].pop(0))
refused('no such stack', ['there is no stack "nobody"'], lambda w: None, '--stack', 'nobody')
refused('no such instance', ['there is no database instance "nobody"'], lambda w: None, '--instance', 'nobody')
refused('site', ['says "outage" of shop'], lambda w: w.host.update(state='outage'))
refused('site held', ['held by order of alice'], lambda w: w.host.update(order={'action': 'hold', 'by': 'alice'}))
refused('memory', ['keeps 3.0 GiB of data in memory', 'will have about 1.3 GiB', '--accept memory'], lambda w: None, down=True, database=full(3 << 30))
refused('connections', ['had 400 connections', 'error 1040'], lambda w: w.metrics.update(most_connections=[30, 400, 12]), down=True, database=full(1 << 29))
refused('larger class', ['is larger than', 'cfn/bin/upgrade'], has_class('db.t4g.micro'), down=True, database=full(1 << 29))



def refused_by(name, main, words, spoil, *argv):
    world = World()
    spoil(world)
    with Stage() as stage:
        code, said = stage.run(world, main, '--instance', 'shop', *SITE, *argv)
    tap.eq(code, 3, f'{name}: exit code')
    tap.has(said, words, f'{name}: says {words!r}')
    tap.eq((world.changes, world.orders), (0, []), f'{name}: nothing was changed')


def fail_over(argv):
    return failover.main('failover', 'test', argv)


def blue_green(argv):
    return bluegreen.main('blue-green', 'test', argv)


refused_by('failover, status', fail_over, '"modifying"', put(DBInstanceStatus='modifying'))
refused_by('failover, single zone', fail_over, 'is not Multi-AZ', put(MultiAZ=False))
refused_by('blue-green, managed password', blue_green, 'managed in Secrets Manager', put(MasterUserSecret={'SecretArn': 'arn'}), '--version', '8.4.7')
refused_by('blue-green, no backups', blue_green, 'has no automated backups', put(BackupRetentionPeriod=0), '--version', '8.4.7')
refused_by('blue-green, same version', blue_green, 'is mysql 8.4.6 already', lambda w: None, '--version', '8.4.6')

# What the checks find, status shows; it is content only if all is well.
for name, spoil, wanted, words in (
        ('well', lambda w: None, 0, 'demo: CREATE_COMPLETE, DbInstanceClass=db.t4g.small'),
        ('drift', lambda w: w.stack['Parameters'][0].update(ParameterValue=LARGE), 4, 'but it is db.t4g.small: drift'),
        ('busy', put(DBInstanceStatus='modifying', PendingModifiedValues={'DBInstanceClass': LARGE}), 4, f'pending    DBInstanceClass={LARGE}'),
        ('outage', lambda w: w.host.update(state='outage'), 4, 'shop outage, writer 10.0.1.4')):
    world = World()
    spoil(world)
    with Stage() as stage:
        code, said = stage.run(world, lambda argv: status.main('status', 'test', argv), '--stack', 'demo', '--status', 'http://web/rds-status',
                               '--region', 'eu-west-1', '--state', stage.state, options=False)
    tap.eq(code, wanted, f'status, {name}: exit code')
    tap.has(said, words, f'status, {name}: says {words!r}')

# Two at once are both told.
refused('two', ['status: ', 'storage: '], lambda w: (w.instance.update(DBInstanceStatus='modifying'), w.metrics.update(free_storage=[1])))

# What waits for a restart is said, and stops nothing.
with Stage() as stage:
    world = World()
    world.instance.update(DBParameterGroups=[{'DBParameterGroupName': 'tuned', 'ParameterApplyStatus': 'pending-reboot'}])
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', *SITE)
    tap.eq(code, 0, 'parameters that wait for a restart')
    tap.has(said, 'tuned has values that wait for a restart', 'are told')

# A snapshot of an instance that had the name before is none of this one's.
with Stage() as stage:
    world = World()
    world.instance.update(DbiResourceId='db-NEW')
    world.snapshots.append({'DBSnapshotIdentifier': 'of-another', 'Status': 'available', 'SnapshotCreateTime': stamp(world.now), 'DbiResourceId': 'db-OLD'})
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', *SITE)
    tap.eq((code, len(world.snapshots)), (0, 2), "another instance's snapshot: a new one is made")

# A snapshot takes its time: what begins meanwhile is refused as if it had been there before.
with Stage() as stage:
    world = World()
    late = type('Late', (Database,), {'transactions': lambda self, _longest: [(77, 60, 'UPDATE orders')] if world.snapshots else []})
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', *SITE, database=late)
    tap.eq((code, len(world.snapshots), world.changes), (3, 1, 0), 'a transaction that began during the snapshot: refused, nothing was changed')
    tap.has(said, 'connection 77', 'says which')
    tap.eq(world.orders, [], 'no module was told')
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', *SITE, database=Database)
    tap.eq((code, len(world.snapshots)), (0, 1), 'when it has ended, the snapshot is recent')

# What nobody could be asked is said, and stops nothing.
with Stage() as stage:
    world = World()
    world.metrics.clear()
    code, said = stage.run(world, upgrade, '--class', LARGE, '--instance', 'shop')
    tap.eq(code, 0, 'without stack, status, CloudWatch and database it goes ahead')
    for what in ('free storage', 'long transactions', "the site's module", 'another class on record', 'whether it takes writes'):
        tap.has(said, what, f'and says aloud that it was not checked: {what}')

# A refusal may be accepted where that is for a person to decide, and nowhere else.
with Stage() as stage:
    world = World()
    world.metrics.update(free_storage=[1])
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', '--accept', 'storage', *SITE)
    tap.eq(code, 0, '--accept storage')
    tap.has(said, 'accepted: shop is nearly full', 'says so')
    code, said = stage.run(World(), upgrade, '--class', LARGE, '--stack', 'demo', '--accept', 'status')
    tap.eq(code, 2, '--accept status is bad usage')

# Nobody is asked nothing: without a terminal and without --yes nothing happens.
with Stage() as stage:
    world = World()
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', '--state', stage.state, options=False)
    tap.eq(code, 2, 'without a terminal, --yes is needed')
    tap.has(said, 'say --yes', 'says so')
    tap.eq(CHANGES & set(world.asked), set(), 'nothing was changed')

# A dry run checks for real, shows each command, and leaves no trace.
with Stage() as stage:
    world = World()
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', *SITE, '--dry-run')
    tap.eq(code, 0, 'dry run')
    for part in ('aws rds create-db-snapshot', f'aws rds modify-db-instance --db-instance-identifier shop --db-instance-class {LARGE} --apply-immediately',
                 f'ParameterKey=DbInstanceClass,ParameterValue={LARGE} ParameterKey=Release,UsePreviousValue=true', 'action=arm&ttl=600'):
        tap.has(said, part, f'shows {part}')
    tap.eq(CHANGES & set(world.asked), set(), 'changes nothing')
    tap.eq(world.orders, [], 'orders nothing')
    world.instance.update(MultiAZ=False)
    code, said = stage.run(world, upgrade, '--class', LARGE, '--stack', 'demo', *SITE, '--dry-run')
    tap.eq(code, 3, 'and refuses as the real one')
tap.done()
