# SPDX-License-Identifier: Apache-2.0
"""All that the stand-in knows, in one place: plain data, so that a test reads and changes it as JSON.

Whoever reads or changes `data` holds `lock`. Times are RFC 3339 text; durations of RDS are divided by `scale`, dates are real.
"""
import datetime
import json
import secrets
import threading

REGION, ACCOUNT = 'eu-west-1', '123456789012'

# The list of cfn/templates/database.yaml.
CLASSES = ('db.t4g.micro', 'db.t4g.small', 'db.t4g.medium', 'db.t4g.large', 'db.m7g.large', 'db.m7g.xlarge', 'db.r7g.large')


def arn(kind, name):
    return f'arn:aws:rds:{REGION}:{ACCOUNT}:{kind}:{name}'


def stamp(when):
    return when.isoformat(timespec='milliseconds').replace('+00:00', 'Z')


def first(name, endpoint, port, db_class, now):
    """What there is when the stand-in starts: one stack with one available Multi-AZ instance, and yesterday's snapshot."""
    made = stamp(now - datetime.timedelta(days=30))
    instance = {
        'DBInstanceIdentifier': name, 'DBInstanceClass': db_class, 'Engine': 'mysql', 'EngineVersion': '8.4.6',
        'DBInstanceStatus': 'available', 'MasterUsername': 'admin', 'DBName': 'shop', 'Endpoint': {'Address': endpoint, 'Port': port},
        'AllocatedStorage': 20, 'StorageType': 'gp3', 'StorageEncrypted': True, 'InstanceCreateTime': made,
        'PreferredBackupWindow': '02:00-02:30', 'PreferredMaintenanceWindow': 'sun:03:00-sun:03:30', 'BackupRetentionPeriod': 7,
        'VpcSecurityGroups': [{'VpcSecurityGroupId': 'sg-0123456789abcdef0', 'Status': 'active'}],
        'DBParameterGroups': [{'DBParameterGroupName': f'{name}-parameters', 'ParameterApplyStatus': 'in-sync'}],
        'AvailabilityZone': f'{REGION}a', 'SecondaryAvailabilityZone': f'{REGION}b', 'MultiAZ': True, 'PendingModifiedValues': {},
        'LatestRestorableTime': stamp(now), 'AutoMinorVersionUpgrade': False, 'LicenseModel': 'general-public-license',
        'PubliclyAccessible': False, 'DbiResourceId': 'db-' + 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'CACertificateIdentifier': 'rds-ca-rsa2048-g1',
        'CopyTagsToSnapshot': True, 'DBInstanceArn': arn('db', name), 'DeletionProtection': False, 'TagList': [],
        'EngineLifecycleSupport': 'open-source-rds-extended-support-disabled',
    }
    return {
        'instances': {name: instance},
        'driven': name,    # whose failovers the hook performs
        'snapshots': {f'rds:{name}-yesterday': snapshot(instance, f'rds:{name}-yesterday', 'automated', now - datetime.timedelta(hours=8))},
        'deployments': {},
        'maintenance': {},
        'events': [],
        # And one that cannot be Multi-AZ.
        'orderable': {**{name: {'MultiAZCapable': True} for name in CLASSES}, 'db.m1.small': {'MultiAZCapable': False}},
        'metrics': {'FreeStorageSpace': 12 << 30, 'FreeableMemory': 900 << 20, 'DatabaseConnections': 12, 'CPUUtilization': 35.0},
        'stacks': {'demo': {
            'StackName': 'demo', 'StackId': f'arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/demo/11111111-2222-3333-4444-555555555555',
            'StackStatus': 'CREATE_COMPLETE', 'CreationTime': made, 'Instance': name,
            'Parameters': {'DbInstanceClass': db_class, 'Release': '0.1.0', 'ArtifactBucket': 'demo-artifacts', 'TemplatePrefix': 'templates/0.1.0',
                           'DeletionProtection': 'false'},
            'Defaults': {'DbInstanceClass': 'db.t4g.small', 'DeletionProtection': 'false'},
            'AllowedClasses': list(CLASSES),
            'Outputs': {'DatabaseInstance': name, 'DatabaseEndpoint': endpoint, 'Url': 'http://127.0.0.1:8080/'},
            'Events': [], 'ChangeSets': {}}},
        'trouble': [],
        'requests': [],
    }


def snapshot(instance, name, kind, when, status='available'):
    return {
        'DBSnapshotIdentifier': name, 'DBInstanceIdentifier': instance['DBInstanceIdentifier'], 'SnapshotCreateTime': stamp(when),
        'Engine': instance['Engine'], 'EngineVersion': instance['EngineVersion'], 'AllocatedStorage': instance['AllocatedStorage'],
        'Status': status, 'Port': instance['Endpoint']['Port'], 'AvailabilityZone': instance['AvailabilityZone'], 'MasterUsername': 'admin',
        'InstanceCreateTime': instance['InstanceCreateTime'], 'SnapshotType': kind, 'PercentProgress': 100 if status == 'available' else 0,
        'StorageType': instance['StorageType'], 'Encrypted': True, 'DBSnapshotArn': arn('snapshot', name)}


class World:
    def __init__(self, data, scale=1.0, outage=None, hook=None):
        """scale: how many of RDS's seconds pass in one; outage: real seconds without a database, None for scaled ones; hook: see play.py."""
        self.data, self.scale, self.outage, self.hook = data, scale, outage, hook
        self.lock = threading.RLock()

    @staticmethod
    def now():
        return datetime.datetime.now(datetime.timezone.utc)

    def stamp(self):
        return stamp(self.now())

    def note(self, kind, name, text, category):
        """Something happened to a source of that kind (db-instance, db-snapshot, blue-green-deployment)."""
        what = {'db-instance': 'db', 'db-snapshot': 'snapshot', 'blue-green-deployment': 'deployment'}[kind]
        with self.lock:
            self.data['events'].append({'SourceIdentifier': name, 'SourceType': kind, 'Message': text, 'EventCategories': [category],
                                        'Date': self.stamp(), 'SourceArn': arn(what, name)})

    def merge(self, patch):
        """Changes what a test wants otherwise: a merge patch (RFC 7396)."""
        with self.lock:
            _merge(self.data, patch)

    def as_json(self):
        with self.lock:
            return json.dumps(self.data).encode()

    @staticmethod
    def token(length=16):
        return secrets.token_hex((length + 1) // 2)[:length]


def _merge(into, patch):
    """In place: a timeline under way goes on with the dictionaries that it knows."""
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
