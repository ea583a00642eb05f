# SPDX-License-Identifier: Apache-2.0
"""CloudFormation: one stack's parameters, updates and events. A change of DbInstanceClass changes the instance's class."""
import threading
import time

from . import rds
from .model import Fault

SETTLED = ('CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE')


def stack_of(world, name):
    for stack in world.data['stacks'].values():
        if name in (stack['StackName'], stack['StackId']):
            return stack
    raise Fault('ValidationError', f'Stack with id {name} does not exist')


def describe_stacks(world, asked):
    found = [stack_of(world, asked['StackName'])] if 'StackName' in asked else list(world.data['stacks'].values())
    return {'Stacks': [{
        'StackId': one['StackId'], 'StackName': one['StackName'], 'CreationTime': one['CreationTime'], 'StackStatus': one['StackStatus'],
        'Capabilities': ['CAPABILITY_IAM'], 'Parameters': pairs(one['Parameters'], 'Parameter'), 'Outputs': pairs(one['Outputs'], 'Output'),
        **({'LastUpdatedTime': one['LastUpdatedTime']} if 'LastUpdatedTime' in one else {})} for one in found]}


def pairs(values, what):
    return [{f'{what}Key': key, f'{what}Value': value} for key, value in values.items()]


def new_parameters(stack, asked):
    """As CloudFormation has it: a parameter that is not mentioned goes back to the template's default."""
    if not asked.get('UsePreviousTemplate'):
        raise Fault('NotStoodInFor', 'the stand-in knows no templates: --use-previous-template')
    if 'CAPABILITY_IAM' not in asked.get('Capabilities', []):
        raise Fault('InsufficientCapabilitiesException', 'Requires capabilities : [CAPABILITY_IAM]')
    given = {one['ParameterKey']: one for one in asked.get('Parameters', [])}
    strange = sorted(set(given) - set(stack['Parameters']))
    if strange:
        raise Fault('ValidationError', f"Parameters: [{', '.join(strange)}] do not exist in the template")
    new = {}
    for key, value in stack['Parameters'].items():
        one = given.get(key)
        if one is None:
            value = stack['Defaults'].get(key)
        elif not one.get('UsePreviousValue'):
            value = one.get('ParameterValue')
        new[key] = value
    if new['DbInstanceClass'] not in (*stack['AllowedClasses'], None):
        raise Fault('ValidationError', f"Parameter 'DbInstanceClass' must be one of AllowedValues: [{', '.join(stack['AllowedClasses'])}]")
    missing = [key for key, value in new.items() if value is None]
    if missing:
        raise Fault('ValidationError', f"Parameters: [{', '.join(missing)}] must have values")
    return new


def must_be_settled(stack):
    if stack['StackStatus'] not in SETTLED:
        raise Fault('ValidationError', f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated.")


def get_template_summary(world, asked):
    """The parameters; of DbInstanceClass also the list of values that the template allows."""
    if 'StackName' not in asked:
        raise Fault('NotStoodInFor', 'the stand-in knows no templates: --stack-name')
    stack = stack_of(world, asked['StackName'])
    lists = {'DbInstanceClass': {'AllowedValues': stack['AllowedClasses']}}
    return {'Capabilities': ['CAPABILITY_IAM'], 'Parameters': [
        {'ParameterKey': key, 'ParameterType': 'String', 'NoEcho': False, 'ParameterConstraints': lists.get(key, {}),
         **({'DefaultValue': stack['Defaults'][key]} if key in stack['Defaults'] else {})} for key in stack['Parameters']]}


def update_stack(world, asked):
    stack = stack_of(world, asked['StackName'])
    must_be_settled(stack)
    new = new_parameters(stack, asked)
    if new == stack['Parameters']:
        raise Fault('ValidationError', 'No updates are to be performed.')
    begin_update(world, stack, new)
    return {'StackId': stack['StackId']}


def begin_update(world, stack, new):
    before, stack['Parameters'] = stack['Parameters'], new
    stack['LastUpdatedTime'] = world.stamp()
    say(world, stack, 'UPDATE_IN_PROGRESS', 'User Initiated')
    threading.Thread(target=_update, args=(world, stack, before), daemon=True).start()


def say(world, stack, status, why=None):
    stack['StackStatus'] = status
    stack['Events'].append({
        'StackId': stack['StackId'], 'EventId': world.token(32), 'StackName': stack['StackName'], 'LogicalResourceId': stack['StackName'],
        'PhysicalResourceId': stack['StackId'], 'ResourceType': 'AWS::CloudFormation::Stack', 'Timestamp': world.stamp(), 'ResourceStatus': status,
        **({'ResourceStatusReason': why} if why else {})})


def _update(world, stack, before):
    """The instance's class follows the parameter; where it has it already, as after a change by hand, nothing happens to it."""
    time.sleep(20 / world.scale)
    with world.lock:
        instance = world.data['instances'][stack['Instance']]
        wanted = stack['Parameters']['DbInstanceClass']
        why = None
        if instance['DBInstanceClass'] != wanted:
            if instance['DBInstanceStatus'] != 'available':
                why = 'Database instance is not in available state.'
            else:
                instance['PendingModifiedValues']['DBInstanceClass'] = wanted
                rds.change_class(world, instance)
    while not why:
        with world.lock:
            if instance['DBInstanceStatus'] == 'failed':
                why = 'The instance failed.'
            elif instance['DBInstanceClass'] == wanted and instance['DBInstanceStatus'] == 'available':
                break
        time.sleep(0.05)
    with world.lock:
        if why:
            stack['Parameters'] = before
            say(world, stack, 'UPDATE_ROLLBACK_IN_PROGRESS', f'The following resource(s) failed to update: [Database]. {why}')
            say(world, stack, 'UPDATE_ROLLBACK_COMPLETE')
        else:
            say(world, stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
            say(world, stack, 'UPDATE_COMPLETE')


def describe_stack_events(world, asked):
    """The latest first, as there."""
    return {'StackEvents': list(reversed(stack_of(world, asked['StackName'])['Events']))}


# ---- change sets ---------------------------------------------------------------------------------------------------

def create_change_set(world, asked):
    stack = stack_of(world, asked['StackName'])
    if asked.get('ChangeSetType', 'UPDATE') != 'UPDATE':
        raise Fault('NotStoodInFor', 'the stand-in makes no stacks')
    must_be_settled(stack)
    name = asked['ChangeSetName']
    if name in stack['ChangeSets']:
        raise Fault('AlreadyExistsException', f'ChangeSet {name} already exists')
    new = new_parameters(stack, asked)
    made = stack['ChangeSets'][name] = {
        'ChangeSetName': name, 'ChangeSetId': f"{stack['StackId'].replace(':stack/', ':changeSet/')}/{name}", 'StackId': stack['StackId'],
        'StackName': stack['StackName'], 'CreationTime': world.stamp(), 'Parameters': pairs(new, 'Parameter'), 'Capabilities': ['CAPABILITY_IAM'],
        'Status': 'CREATE_COMPLETE', 'ExecutionStatus': 'AVAILABLE', 'Changes': [{'Type': 'Resource', 'ResourceChange': {
            'Action': 'Modify', 'LogicalResourceId': 'Database', 'ResourceType': 'AWS::CloudFormation::Stack', 'Replacement': 'False', 'Scope': ['Properties']}}]}
    if new == stack['Parameters']:
        made.update(Status='FAILED', ExecutionStatus='UNAVAILABLE', Changes=[],
                    StatusReason="The submitted information didn't contain changes. Submit different information to create a change set.")
    return {'Id': made['ChangeSetId'], 'StackId': stack['StackId']}


def change_set_of(world, asked):
    for stack in world.data['stacks'].values():
        for one in stack['ChangeSets'].values():
            if asked['ChangeSetName'] in (one['ChangeSetName'], one['ChangeSetId']) and asked.get('StackName', stack['StackName']) in (stack['StackName'], stack['StackId']):
                return stack, one
    raise Fault('ChangeSetNotFound', f"ChangeSet [{asked['ChangeSetName']}] does not exist")


def describe_change_set(world, asked):
    return change_set_of(world, asked)[1]


def execute_change_set(world, asked):
    stack, one = change_set_of(world, asked)
    if one['ExecutionStatus'] != 'AVAILABLE':
        raise Fault('InvalidChangeSetStatus', f"ChangeSet [{one['ChangeSetId']}] cannot be executed in its current status of [{one['Status']}]")
    must_be_settled(stack)
    stack['ChangeSets'].clear()
    begin_update(world, stack, {pair['ParameterKey']: pair['ParameterValue'] for pair in one['Parameters']})
    return {}


def delete_change_set(world, asked):
    stack, one = change_set_of(world, asked)
    del stack['ChangeSets'][one['ChangeSetName']]
    return {}


OPERATIONS = {
    'DescribeStacks': describe_stacks, 'GetTemplateSummary': get_template_summary, 'UpdateStack': update_stack, 'DescribeStackEvents': describe_stack_events,
    'CreateChangeSet': create_change_set, 'DescribeChangeSet': describe_change_set, 'ExecuteChangeSet': execute_change_set,
    'DeleteChangeSet': delete_change_set,
}
