# SPDX-License-Identifier: Apache-2.0
"""RDS's answers as facts."""
import dataclasses
from typing import Dict, List, Optional

from .aws import AwsError
from .outcome import Refused


# RDS's answer to whoever asks an instance that is busy.
INVALID_STATE = ('InvalidDBInstanceState', 'InvalidDBInstanceStateFault')


@dataclasses.dataclass
class Instance:
    identifier: str
    klass: str
    status: str
    multi_az: bool
    zone: str
    secondary_zone: str
    engine: str
    version: str
    storage_type: str
    allocated_gib: int
    backup_days: int
    arn: str
    endpoint: str
    port: int
    pending: Dict[str, object]
    parameter_groups: Dict[str, str]
    managed_password: bool
    # Of this one instance for ever, whatever its name: another one may get that later.
    resource: str


def parse(answer):
    """One member of DescribeDBInstances' list."""
    endpoint = answer.get('Endpoint') or {}
    return Instance(
        identifier=answer['DBInstanceIdentifier'], klass=answer.get('DBInstanceClass', ''), status=answer.get('DBInstanceStatus', ''),
        multi_az=bool(answer.get('MultiAZ')), zone=answer.get('AvailabilityZone', ''), secondary_zone=answer.get('SecondaryAvailabilityZone', ''),
        engine=answer.get('Engine', ''), version=answer.get('EngineVersion', ''), storage_type=answer.get('StorageType', ''),
        allocated_gib=answer.get('AllocatedStorage', 0), backup_days=answer.get('BackupRetentionPeriod', 0), arn=answer.get('DBInstanceArn', ''),
        endpoint=endpoint.get('Address', ''), port=endpoint.get('Port', 0),
        pending={key: value for key, value in (answer.get('PendingModifiedValues') or {}).items() if value not in (None, [], {}, '')},
        parameter_groups={g['DBParameterGroupName']: g.get('ParameterApplyStatus', '') for g in answer.get('DBParameterGroups') or []},
        managed_password=bool(answer.get('MasterUserSecret')),
        resource=answer.get('DbiResourceId', ''))


def describe(aws, identifier) -> Instance:
    """Raises Refused if there is none of that name."""
    found = look(aws, identifier)
    if not found:
        raise Refused(f'there is no database instance "{identifier}" in {aws.region or "the default region"}: '
                      'check --instance, --stack, --region and the account (aws sts get-caller-identity)')
    return found


def look(aws, identifier) -> Optional[Instance]:
    try:
        answer = aws.read('rds', 'describe-db-instances', '--db-instance-identifier', identifier)
    except AwsError as error:
        if error.code in ('DBInstanceNotFound', 'DBInstanceNotFoundFault'):
            return None
        raise
    return parse(answer['DBInstances'][0])


@dataclasses.dataclass(frozen=True)
class Event:
    date: str
    text: str
    categories: tuple = ()


def events(aws, identifier, minutes=1440) -> List[Event]:
    """Oldest first. RDS keeps two weeks; a procedure takes hours at most."""
    answer = aws.read('rds', 'describe-events', '--source-type', 'db-instance', '--source-identifier', identifier, '--duration', str(minutes))
    found = [Event(e.get('Date', ''), e.get('Message', ''), tuple(e.get('EventCategories') or ())) for e in answer.get('Events') or []]
    return sorted(found, key=lambda event: event.date)


def account(aws):
    return aws.read('sts', 'get-caller-identity').get('Account', '')
