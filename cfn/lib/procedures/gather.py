# SPDX-License-Identifier: Apache-2.0
"""Asks everybody for the facts that the checks want. Who cannot be asked is written down with the reason, and left out."""
import datetime
import json

from . import checks, classes, instance, site, sql, stack
from .aws import AwsError

METRICS = {'free_storage': ('FreeStorageSpace', 'Minimum'), 'most_connections': ('DatabaseConnections', 'Maximum')}


def class_change(aws, options, down):
    """options: identifier, klass, stack, hosts (URLs), database, longest."""
    i = instance.describe(aws, options.instance)
    facts = checks.Facts(instance=i, target=options.klass, down=down, longest=options.longest)
    if i.klass != options.klass:
        facts.orderable = ask(facts, 'orderable', lambda: orderable(aws, i, options.klass))
    facts.maintenance = ask(facts, 'maintenance', lambda: maintenance(aws, i))
    for name, numbers in (ask(facts, 'storage', lambda: metrics(aws, i)) or {}).items():
        setattr(facts, name, numbers)
    for name, key in (('free_storage', 'storage'), ('most_connections', 'connections')):
        if getattr(facts, name) is None:
            facts.unasked.setdefault(key, facts.unasked.get('storage', f'CloudWatch has no {METRICS[name][0]} of it'))
    stack_facts(aws, options, facts)
    site_facts(options, facts)
    return facts


def failover(aws, options):
    facts = checks.Facts(instance=instance.describe(aws, options.instance), target='', down=False, longest=options.longest)
    site_facts(options, facts)
    return facts


def stack_facts(aws, options, facts):
    if not options.stack:
        facts.unasked['stack'] = 'no --stack was given, so none is told of the new class either'
        return
    facts.stack = stack.describe(aws, options.stack)
    facts.stack['allowed'] = ask(facts, 'stack-class', lambda: stack.allowed(aws, options.stack))


def site_facts(options, facts):
    if options.status:
        facts.hosts = [site.look(url, options.database, facts.instance.endpoint) for url in options.status]
    else:
        facts.unasked['site'] = 'no --status was given, so no module is told that a failover is coming, and none is asked afterwards'
    facts.transactions = of_database(facts, 'transactions', lambda database: database.transactions(facts.longest))
    if facts.down:
        facts.engine = of_database(facts, 'memory', lambda database: database.numbers())


def of_database(facts, name, question):
    try:
        return question(sql.Sql())
    except sql.NoSql as why:
        facts.unasked[name] = str(why)
        return None


def ask(facts, name, question):
    """The answer, or None with the reason. A right that is missing, or an API that is not there, must not stop an upgrade."""
    try:
        return question()
    except AwsError as error:
        facts.unasked[name] = f'AWS says {error}'
        return None


def orderable(aws, i, klass):
    answer = aws.read('rds', 'describe-orderable-db-instance-options', '--engine', i.engine, '--engine-version', i.version,
                      '--db-instance-class', klass)
    return [o for o in answer.get('OrderableDBInstanceOptions') or [] if o.get('DBInstanceClass') == klass]


def maintenance(aws, i):
    answer = aws.read('rds', 'describe-pending-maintenance-actions', '--resource-identifier', i.arn)
    resources = answer.get('PendingMaintenanceActions') or []
    return [action for resource in resources for action in resource.get('PendingMaintenanceActionDetails') or []]


def metrics(aws, i):
    """Of the last 24 h; free storage as it was last."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    queries = [{'Id': name, 'MetricStat': {'Metric': {'Namespace': 'AWS/RDS', 'MetricName': metric,
                'Dimensions': [{'Name': 'DBInstanceIdentifier', 'Value': i.identifier}]}, 'Period': 300, 'Stat': statistic}}
               for name, (metric, statistic) in METRICS.items()]
    answer = aws.read('cloudwatch', 'get-metric-data', '--metric-data-queries', json.dumps(queries), '--scan-by', 'TimestampDescending',
                      '--start-time', (now - datetime.timedelta(hours=24)).isoformat(), '--end-time', now.isoformat())
    found = {result['Id']: result.get('Values') or [] for result in answer.get('MetricDataResults') or []}
    take = {'free_storage': lambda values: values[0], 'most_connections': max}
    return {name: take[name](found[name]) if found.get(name) else None for name in METRICS}


def headline(facts):
    i = facts.instance
    size = classes.memory(i.klass)
    return (f'{i.identifier}: {i.klass}{f" ({classes.gib(size)})" if size else ""}, {i.engine} {i.version}, {i.status}, '
            f'{i.zone or "?"} with standby in {i.secondary_zone or "none"}')
