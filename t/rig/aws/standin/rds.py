# SPDX-License-Identifier: Apache-2.0
"""RDS: instances, their events and snapshots. Each operation gets the world, locked, and its parameters, and gives its answer."""
import datetime

from . import play, timeline
from .model import Fault, known, service
from .world import snapshot


def instance_of(world, name):
    """By identifier or ARN."""
    key = name.rsplit(':', 1)[-1].lower()
    if key not in world.data['instances']:
        raise Fault('DBInstanceNotFound', f'DBInstance {name} not found.')
    return world.data['instances'][key]


def view(instance):
    return known(service('rds').shape_for('DBInstance'), instance)


def page(items, asked, least=20, most=100):
    """(items of the page that was asked for, {'Marker': …} if there are more)."""
    size = asked.get('MaxRecords', most)
    if not least <= size <= most:
        raise Fault('InvalidParameterValue', f'Invalid value {size} for MaxRecords. Must be between {least} and {most}')
    try:
        at = int(asked.get('Marker', '0'))
    except ValueError:
        raise Fault('InvalidParameterValue', 'The Marker is not one that was given out') from None
    return items[at:at + size], {'Marker': str(at + size)} if at + size < len(items) else {}


def filtered(items, asked, fields):
    """What passes asked['Filters']; fields: {name of the filter: function of an item}."""
    for one in asked.get('Filters', []):
        if one['Name'] not in fields:
            raise Fault('InvalidParameterValue', f"Unrecognized filter name: {one['Name']}")
        items = [item for item in items if fields[one['Name']](item) in one['Values']]
    return items


# ---- instances -----------------------------------------------------------------------------------------------------

def describe_db_instances(world, asked):
    if 'DBInstanceIdentifier' in asked:
        items = [instance_of(world, asked['DBInstanceIdentifier'])]
    else:
        items = list(world.data['instances'].values())
    items = filtered(items, asked, {'db-instance-id': lambda one: one['DBInstanceIdentifier'], 'engine': lambda one: one['Engine']})
    items, more = page(items, asked)
    return {'DBInstances': [view(one) for one in items], **more}


def must_be_available(instance):
    if instance['DBInstanceStatus'] != 'available':
        raise Fault('InvalidDBInstanceState', 'Database instance is not in available state.')


def modify_db_instance(world, asked):
    """The class alone can be changed here; what is pending already goes with it, as in RDS."""
    instance = instance_of(world, asked['DBInstanceIdentifier'])
    other = set(asked) - {'DBInstanceIdentifier', 'DBInstanceClass', 'ApplyImmediately'}
    if other:
        raise Fault('NotStoodInFor', f'the stand-in does not know how to change {", ".join(sorted(other))}')
    must_be_available(instance)
    wanted = asked.get('DBInstanceClass', instance['DBInstanceClass'])
    if wanted not in world.data['orderable']:
        raise Fault('InvalidParameterCombination', 'RDS does not support creating a DB instance with the following combination: '
                    f"DBInstanceClass={wanted}, Engine={instance['Engine']}, EngineVersion={instance['EngineVersion']}, "
                    f"LicenseModel={instance['LicenseModel']}. For supported combinations of instance class and database engine version, see the documentation.")
    pending = instance['PendingModifiedValues']
    if wanted != instance['DBInstanceClass']:
        pending['DBInstanceClass'] = wanted
    if asked.get('ApplyImmediately') and pending:
        change_class(world, instance)
    return {'DBInstance': view(instance)}


def change_class(world, instance):
    """Applies what is pending, as the published timeline has it."""
    name = instance['DBInstanceIdentifier']
    pending = instance['PendingModifiedValues']
    steps = timeline.CLASS_CHANGE
    if not instance['MultiAZ']:
        steps = [step for step in steps if step.category != timeline.FAILOVER]

    def finished():
        instance.update(pending)
        instance['PendingModifiedValues'] = {}

    play.start(world, steps, ('db-instance', name), {
        'modifying': lambda: set_status(instance, 'modifying'), 'swapped': lambda: swap_zones(instance), 'finished': finished,
        'available': lambda: set_status(instance, 'available')},
        hook=play.Hook(world, name, pending.get('DBInstanceClass', instance['DBInstanceClass'])), failed=lambda: set_status(instance, 'failed'))


def set_status(instance, status):
    instance['DBInstanceStatus'] = status


def swap_zones(instance):
    zones = instance['AvailabilityZone'], instance.get('SecondaryAvailabilityZone')
    instance['SecondaryAvailabilityZone'], instance['AvailabilityZone'] = zones


def reboot_db_instance(world, asked):
    instance = instance_of(world, asked['DBInstanceIdentifier'])
    must_be_available(instance)
    name = instance['DBInstanceIdentifier']
    forced = asked.get('ForceFailover', False)
    if forced and not instance['MultiAZ']:
        raise Fault('InvalidParameterCombination', 'Cannot ask for a forced failover of a single-AZ instance')
    play.start(world, timeline.REBOOT_FAILOVER if forced else timeline.REBOOT, ('db-instance', name), {
        'rebooting': lambda: set_status(instance, 'rebooting'), 'swapped': lambda: swap_zones(instance),
        'available': lambda: set_status(instance, 'available')},
        hook=play.Hook(world, name, instance['DBInstanceClass']), failed=lambda: set_status(instance, 'failed'))
    return {'DBInstance': view(instance)}


def describe_orderable_db_instance_options(world, asked):
    items = []
    for name, facts in world.data['orderable'].items():
        if asked.get('DBInstanceClass', name) != name or asked['Engine'] != 'mysql' or not asked.get('EngineVersion', '8.4.6').startswith('8.4.'):
            continue
        items.append({'Engine': 'mysql', 'EngineVersion': asked.get('EngineVersion', '8.4.6'), 'DBInstanceClass': name,
                      'LicenseModel': 'general-public-license', 'MultiAZCapable': facts['MultiAZCapable'], 'ReadReplicaCapable': True, 'Vpc': True,
                      'AvailabilityZones': [{'Name': zone} for zone in facts.get('Zones', ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'])],
                      'SupportsStorageEncryption': True, 'StorageType': 'gp3', 'SupportsIops': True, 'MinStorageSize': 20, 'MaxStorageSize': 65536})
    items, more = page(items, asked)
    return {'OrderableDBInstanceOptions': items, **more}


def describe_pending_maintenance_actions(world, asked):
    items = [{'ResourceIdentifier': key, 'PendingMaintenanceActionDetails': actions} for key, actions in world.data['maintenance'].items()
             if asked.get('ResourceIdentifier', key) == key]
    items = filtered(items, asked, {'db-instance-id': lambda one: one['ResourceIdentifier'].rsplit(':', 1)[-1]})
    items, more = page(items, asked)
    return {'PendingMaintenanceActions': items, **more}


# ---- events --------------------------------------------------------------------------------------------------------

def describe_events(world, asked):
    """Of the last hour, unless Duration (minutes) or times are given."""
    if 'SourceIdentifier' in asked and 'SourceType' not in asked:
        raise Fault('InvalidParameterCombination', 'Cannot provide SourceIdentifier without SourceType')
    end = asked.get('EndTime', world.now())
    start = asked.get('StartTime', end - datetime.timedelta(minutes=asked.get('Duration', 60)))
    start, end = (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc) for when in (start, end))
    items = [one for one in world.data['events']
             if one['SourceIdentifier'] == asked.get('SourceIdentifier', one['SourceIdentifier'])
             and one['SourceType'] == asked.get('SourceType', one['SourceType'])
             and set(one['EventCategories']) & set(asked.get('EventCategories', one['EventCategories']))
             and start <= datetime.datetime.fromisoformat(one['Date'].replace('Z', '+00:00')) <= end]
    items, more = page(items, asked)
    return {'Events': items, **more}


# ---- snapshots -----------------------------------------------------------------------------------------------------

def create_db_snapshot(world, asked):
    instance = instance_of(world, asked['DBInstanceIdentifier'])
    name = asked['DBSnapshotIdentifier']
    if name in world.data['snapshots']:
        raise Fault('DBSnapshotAlreadyExists', f'Cannot create the snapshot because a snapshot with the identifier {name} already exists.')
    must_be_available(instance)
    made = world.data['snapshots'][name] = snapshot(instance, name, 'manual', world.now(), status='creating')

    def created():
        made.update(Status='available', PercentProgress=100)

    play.start(world, timeline.SNAPSHOT, ('db-snapshot', name), {'created': created})
    return {'DBSnapshot': made}


def describe_db_snapshots(world, asked):
    name = asked.get('DBSnapshotIdentifier')
    if name is not None and name not in world.data['snapshots']:
        raise Fault('DBSnapshotNotFound', f'DBSnapshot {name} not found.')
    items = [one for one in world.data['snapshots'].values()
             if name in (None, one['DBSnapshotIdentifier'])
             and asked.get('DBInstanceIdentifier', one['DBInstanceIdentifier']) == one['DBInstanceIdentifier']
             and asked.get('SnapshotType', one['SnapshotType']) == one['SnapshotType']]
    items, more = page(items, asked)
    return {'DBSnapshots': items, **more}


OPERATIONS = {
    'DescribeDBInstances': describe_db_instances, 'ModifyDBInstance': modify_db_instance, 'RebootDBInstance': reboot_db_instance,
    'DescribeEvents': describe_events, 'DescribeOrderableDBInstanceOptions': describe_orderable_db_instance_options,
    'DescribePendingMaintenanceActions': describe_pending_maintenance_actions,
    'CreateDBSnapshot': create_db_snapshot, 'DescribeDBSnapshots': describe_db_snapshots,
}
