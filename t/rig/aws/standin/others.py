# SPDX-License-Identifier: Apache-2.0
"""What the scripts ask of other services: who am I (STS), and an instance's metrics (CloudWatch)."""
import datetime

from .model import Fault
from .world import ACCOUNT, stamp


def get_caller_identity(world, asked):
    return {'Account': ACCOUNT, 'UserId': 'AIDAEXAMPLE', 'Arn': f'arn:aws:iam::{ACCOUNT}:user/operator'}


def get_metric_data(world, asked):
    """Each metric of an instance has one value, at every period; an instance or a metric that is not known has none, as there."""
    results = []
    for query in asked['MetricDataQueries']:
        if 'MetricStat' not in query:
            raise Fault('NotStoodInFor', 'the stand-in knows MetricStat, no expressions')
        metric = query['MetricStat']['Metric']
        names = [one['Value'] for one in metric.get('Dimensions', []) if one['Name'] == 'DBInstanceIdentifier']
        value = world.data['metrics'].get(metric['MetricName']) if metric.get('Namespace') == 'AWS/RDS' and set(names) & set(world.data['instances']) else None
        period = datetime.timedelta(seconds=query['MetricStat']['Period'])
        times = []
        when = asked['EndTime'] - period
        while value is not None and when >= asked['StartTime'] and len(times) < 100:
            times.append(stamp(when))
            when -= period
        results.append({'Id': query['Id'], 'Label': query.get('Label', metric['MetricName']), 'StatusCode': 'Complete',
                        'Timestamps': times, 'Values': [float(value or 0)] * len(times)})
    return {'MetricDataResults': results, 'Messages': []}


STS = {'GetCallerIdentity': get_caller_identity}
CLOUDWATCH = {'GetMetricData': get_metric_data}
