# SPDX-License-Identifier: Apache-2.0
"""RDS: blue/green deployments of one instance."""
import copy

from . import play, timeline
from .model import Fault
from .rds import filtered, instance_of, must_be_available, page, set_status
from .world import arn


def deployment_of(world, identifier):
    if identifier not in world.data['deployments']:
        raise Fault('BlueGreenDeploymentNotFoundFault', f'BlueGreenDeployment {identifier} not found.')
    return world.data['deployments'][identifier]


def create(world, asked):
    blue = instance_of(world, asked['Source'])
    other = set(asked) - {'BlueGreenDeploymentName', 'Source', 'TargetDBInstanceClass', 'TargetEngineVersion', 'TargetDBParameterGroupName', 'Tags'}
    if other:
        raise Fault('NotStoodInFor', f'the stand-in does not know {", ".join(sorted(other))}')
    must_be_available(blue)
    if any(one['BlueGreenDeploymentName'] == asked['BlueGreenDeploymentName'] for one in world.data['deployments'].values()):
        raise Fault('BlueGreenDeploymentAlreadyExistsFault', f"A blue/green deployment named {asked['BlueGreenDeploymentName']} already exists.")
    if not blue['BackupRetentionPeriod']:
        raise Fault('SourceDatabaseNotSupportedFault', 'Automated backups must be enabled for the source DB instance.')
    if 'MasterUserSecret' in blue:
        raise Fault('SourceDatabaseNotSupportedFault', 'Blue Green Deployments is not supported for instances with managed master user password.')
    identifier = 'bgd-' + world.token(16)
    name = f"{blue['DBInstanceIdentifier']}-green-{world.token(6)}"
    green = copy.deepcopy(blue)
    green.update(DBInstanceIdentifier=name, DBInstanceArn=arn('db', name), DBInstanceStatus='creating', DbiResourceId='db-' + world.token(26).upper(),
                 DBInstanceClass=asked.get('TargetDBInstanceClass', blue['DBInstanceClass']),
                 EngineVersion=asked.get('TargetEngineVersion', blue['EngineVersion']),
                 Endpoint={**blue['Endpoint'], 'Address': f"{name}.{blue['Endpoint']['Address'].partition('.')[2]}"})
    world.data['instances'][name] = green
    tasks = ['CREATING_READ_REPLICA_OF_SOURCE', 'CONFIGURE_BACKUPS']
    deployment = world.data['deployments'][identifier] = {
        'BlueGreenDeploymentIdentifier': identifier, 'BlueGreenDeploymentName': asked['BlueGreenDeploymentName'],
        'Source': blue['DBInstanceArn'], 'Target': green['DBInstanceArn'], 'Status': 'PROVISIONING', 'CreateTime': world.stamp(),
        'SwitchoverDetails': [{'SourceMember': blue['DBInstanceArn'], 'TargetMember': green['DBInstanceArn'], 'Status': 'PROVISIONING'}],
        'Tasks': [{'Name': task, 'Status': 'PENDING'} for task in tasks]}

    def ready():
        set_state(deployment, 'AVAILABLE')
        deployment['Tasks'] = [{'Name': task, 'Status': 'COMPLETED'} for task in tasks]

    play.start(world, timeline.DEPLOYMENT, ('blue-green-deployment', deployment['BlueGreenDeploymentName']),
               {'copied': lambda: set_status(green, 'available'), 'ready': ready})
    return {'BlueGreenDeployment': deployment}


def set_state(deployment, status):
    deployment['Status'] = status
    for detail in deployment['SwitchoverDetails']:
        detail['Status'] = status


def switchover(world, asked):
    deployment = deployment_of(world, asked['BlueGreenDeploymentIdentifier'])
    if deployment['Status'] != 'AVAILABLE':
        raise Fault('InvalidBlueGreenDeploymentStateFault', f"Blue green deployment {deployment['BlueGreenDeploymentIdentifier']} is not in an available state: {deployment['Status']}")
    if not 30 <= asked.get('SwitchoverTimeout', 300) <= 3600:
        raise Fault('InvalidParameterValue', 'SwitchoverTimeout must be between 30 and 3600 seconds')
    blue, green = (instance_of(world, deployment[side]) for side in ('Source', 'Target'))
    for one in blue, green:
        if one['DBInstanceStatus'] != 'available':
            raise Fault('InvalidBlueGreenDeploymentStateFault', f"{one['DBInstanceIdentifier']} is not in available state.")
    name, was = blue['DBInstanceIdentifier'], green['DBInstanceIdentifier']

    def switched():
        # The names change hands, and the endpoints with them; ARNs go with the names.
        instances = world.data['instances']
        old = f'{name}-old1'
        del instances[was]
        for one, now_named, endpoint in ((green, name, blue['Endpoint']), (blue, old, {**blue['Endpoint'], 'Address': f"{old}.{blue['Endpoint']['Address'].partition('.')[2]}"})):
            one.update(DBInstanceIdentifier=now_named, DBInstanceArn=arn('db', now_named), Endpoint=endpoint, DBInstanceStatus='available')
            instances[now_named] = one
        deployment.update(Source=blue['DBInstanceArn'], Target=green['DBInstanceArn'])
        deployment['SwitchoverDetails'] = [{'SourceMember': blue['DBInstanceArn'], 'TargetMember': green['DBInstanceArn'], 'Status': 'SWITCHOVER_COMPLETED'}]
        set_state(deployment, 'SWITCHOVER_COMPLETED')

    play.start(world, timeline.SWITCHOVER, ('blue-green-deployment', deployment['BlueGreenDeploymentName']),
               {'started': lambda: set_state(deployment, 'SWITCHOVER_IN_PROGRESS'), 'switched': switched},
               hook=play.Hook(world, name, green['DBInstanceClass']), failed=lambda: set_state(deployment, 'SWITCHOVER_FAILED'),
               words={'blue': name, 'green': was})
    return {'BlueGreenDeployment': deployment}


def describe(world, asked):
    if 'BlueGreenDeploymentIdentifier' in asked:
        items = [deployment_of(world, asked['BlueGreenDeploymentIdentifier'])]
    else:
        items = list(world.data['deployments'].values())
    items = filtered(items, asked, {
        'blue-green-deployment-name': lambda one: one['BlueGreenDeploymentName'], 'source': lambda one: one['Source'],
        'blue-green-deployment-identifier': lambda one: one['BlueGreenDeploymentIdentifier'], 'target': lambda one: one['Target']})
    items, more = page(items, asked)
    return {'BlueGreenDeployments': items, **more}


def delete(world, asked):
    deployment = deployment_of(world, asked['BlueGreenDeploymentIdentifier'])
    if deployment['Status'] in ('PROVISIONING', 'SWITCHOVER_IN_PROGRESS', 'DELETING'):
        raise Fault('InvalidBlueGreenDeploymentStateFault', f"Blue green deployment is in state {deployment['Status']} and cannot be deleted")
    if asked.get('DeleteTarget'):
        if deployment['Status'] == 'SWITCHOVER_COMPLETED':
            raise Fault('InvalidParameterCombination', 'DeleteTarget cannot be used after a switchover')
        del world.data['instances'][deployment['Target'].rsplit(':', 1)[-1]]
    set_state(deployment, 'DELETING')
    deployment['DeleteTime'] = world.stamp()

    play.start(world, timeline.DELETION, ('blue-green-deployment', deployment['BlueGreenDeploymentName']),
               {'gone': lambda: world.data['deployments'].pop(deployment['BlueGreenDeploymentIdentifier'], None)})
    return {'BlueGreenDeployment': deployment}


OPERATIONS = {
    'CreateBlueGreenDeployment': create, 'DescribeBlueGreenDeployments': describe, 'SwitchoverBlueGreenDeployment': switchover,
    'DeleteBlueGreenDeployment': delete,
}
