# SPDX-License-Identifier: Apache-2.0
"""The class as a parameter of the stack. RDS and CloudFormation do not talk: who changes one must tell the other."""
from .aws import AwsError
from .outcome import Failed, Refused

PARAMETER = 'DbInstanceClass'
BUSY = '_IN_PROGRESS'


def describe(aws, name):
    """{name, status, parameter, value, parameters, instance, capabilities}; raises Refused if there is none of that name."""
    try:
        found = aws.read('cloudformation', 'describe-stacks', '--stack-name', name)['Stacks'][0]
    except AwsError as error:
        if error.code == 'ValidationError' and 'does not exist' in error.message:
            raise Refused(f'there is no stack "{name}" in {aws.region or "the default region"}: check --stack and --region') from None
        raise
    parameters = {p['ParameterKey']: p.get('ParameterValue', '') for p in found.get('Parameters') or []}
    outputs = {o['OutputKey']: o.get('OutputValue', '') for o in found.get('Outputs') or []}
    # database.yaml by itself calls its output Instance.
    return {'name': name, 'status': found['StackStatus'], 'parameter': PARAMETER, 'value': parameters.get(PARAMETER),
            'parameters': parameters, 'instance': outputs.get('DatabaseInstance') or outputs.get('Instance'),
            'capabilities': found.get('Capabilities') or []}


def allowed(aws, name):
    """The values that the stack's template allows; [] if any."""
    summary = aws.read('cloudformation', 'get-template-summary', '--stack-name', name)
    for parameter in summary.get('Parameters') or []:
        if parameter['ParameterKey'] == PARAMETER:
            return (parameter.get('ParameterConstraints') or {}).get('AllowedValues') or []
    return []


def update_words(known, klass):
    """The same template, the same parameters, but for one.

    Without rollback: it would give the database its old class back, at once and in another failover, if anything else in the stack
    failed to update, such as a web host that starts from an image of today."""
    words = ['--stack-name', known['name'], '--use-previous-template', '--disable-rollback', '--parameters']
    for key in sorted(known['parameters']):
        words.append(f'ParameterKey={key},' + (f'ParameterValue={klass}' if key == PARAMETER else 'UsePreviousValue=true'))
    if known['capabilities']:
        words += ['--capabilities', *known['capabilities']]
    return words


def reconcile(context, name, klass):
    """The stack says `klass` and is at rest. RDS has it already, so nothing happens to the database. Raises Failed when the update
    failed, or --patience is over."""
    say, began, asked = context.say, context.stop.now(), False
    while True:
        known = describe(context.aws, name)
        is_busy = known['status'].endswith(BUSY)
        if known['value'] == klass and known['status'].endswith('_COMPLETE'):
            say.line(f'stack {name} says {PARAMETER}={klass}: {known["status"]}')
            return
        if asked and not is_busy:
            raise Failed(f'the stack {name} is {known["status"]} and says {PARAMETER}={known["value"]}: see aws cloudformation '
                         f'describe-stack-events --stack-name {name}, repair it, and run this script again')
        if not is_busy:
            say.line(f'stack {name} says {PARAMETER}={known["value"]}; telling it {klass}')
            asked = update(context.aws, known, klass)
        context.linger(began, f'stack {name}: {known["status"]}')


def update(aws, known, klass):
    try:
        aws.change('cloudformation', 'update-stack', *update_words(known, klass))
        return True
    except AwsError as error:
        # Somebody else has begun an update, or just ended one with the same value: look again.
        if 'IN_PROGRESS' in error.message or 'No updates are to be performed' in error.message:
            return False
        raise
