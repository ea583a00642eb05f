# SPDX-License-Identifier: Apache-2.0
"""RDS, CloudFormation, a web host and time itself, in memory: a class change of twenty minutes is played in a millisecond.

What the procedures ask goes to World.aws and World.http. Both call touch() before and after, where a test may kill."""
import contextlib
import copy
import datetime
import gc
import io
import json
import os
import shutil
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', '..', 'cfn', 'lib'))
from procedures import aws, bluegreen, change, failover, cli, journal, page, site, sql, status, steps    # noqa: E402, F401

BEGAN = 1_800_000_000
# Seconds from the change: RDS begins to show it, the writer stops, another writes, all is done.
SHOWN, FAULT, PROMOTED, FINISHED = 4, 420, 498, 1200
SMALL, LARGE = 'db.t4g.small', 'db.m7g.large'


class Killed(BaseException):
    """As by SIGKILL: nobody catches it."""


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


class World:
    """kill: (number of a touch, or None). touched: how many there were."""

    def __init__(self, klass=SMALL):
        self.now, self.kill, self.touched = BEGAN, None, 0
        self.instance = {
            'DBInstanceIdentifier': 'shop', 'DBInstanceClass': klass, 'DBInstanceStatus': 'available', 'MultiAZ': True, 'AvailabilityZone': 'eu-west-1a',
            'SecondaryAvailabilityZone': 'eu-west-1b', 'Engine': 'mysql', 'EngineVersion': '8.4.6', 'StorageType': 'gp3', 'AllocatedStorage': 20,
            'BackupRetentionPeriod': 7, 'DBInstanceArn': 'arn:aws:rds:eu-west-1:123456789012:db:shop', 'Endpoint': {'Address': 'shop.rds.test', 'Port': 3306},
            'PendingModifiedValues': {}, 'DBParameterGroups': []}
        self.stack = {'StackName': 'demo', 'StackStatus': 'CREATE_COMPLETE', 'Capabilities': ['CAPABILITY_IAM'],
                      'Parameters': [{'ParameterKey': 'DbInstanceClass', 'ParameterValue': klass}, {'ParameterKey': 'Release', 'ParameterValue': '1'}],
                      'Outputs': [{'OutputKey': 'DatabaseInstance', 'OutputValue': 'shop'}]}
        self.allowed = [SMALL, LARGE]
        self.orderable = {name: {'DBInstanceClass': name, 'MultiAZCapable': True, 'StorageType': 'gp3', 'MinStorageSize': 20, 'MaxStorageSize': 65536,
                                 'AvailabilityZones': [{'Name': 'eu-west-1a'}, {'Name': 'eu-west-1b'}]} for name in (SMALL, LARGE)}
        self.metrics = {'free_storage': [12 << 30], 'most_connections': [20]}
        self.maintenance, self.snapshots, self.events, self.later = [], [], [], []
        self.asked = {}            # {operation: how often it was carried out}
        self.changes = 0           # class changes that really began
        self.orders = []
        self.host = {'state': 'available', 'failovers': [], 'held': 0, 'troubled': 0, 'writer': '10.0.1.4', 'order': None}
        self.deployment = None
        self.trouble = []          # what becomes of the next calls: exceptions, or words to raise after the call
        self.tell('Backing up DB instance', -7200)

    # ---- time ------------------------------------------------------------------------------------------------------------

    def pass_time(self, seconds):
        until = self.now + seconds
        while self.later and self.later[0][0] <= until:
            self.now, what = self.later.pop(0)
            what()
        self.now = max(self.now, until)

    def after(self, seconds, what):
        self.later.append((self.now + seconds, what))
        self.later.sort(key=lambda entry: entry[0])

    def tell(self, text, ago=0):
        self.events.append({'Date': stamp(self.now + ago), 'Message': text, 'EventCategories': []})

    def touch(self):
        """A moment at which the script may be killed."""
        self.touched += 1
        if self.kill == self.touched:
            raise Killed()

    # ---- AWS -------------------------------------------------------------------------------------------------------------

    def aws(self, line):
        self.touch()
        trouble = self.trouble.pop(0) if self.trouble else None
        if isinstance(trouble, Exception):
            raise trouble
        words = dict(pairs(line[3:]))
        operation = line[2].replace('-', '_')
        answer = copy.deepcopy(getattr(self, operation)(words))
        self.asked[line[2]] = self.asked.get(line[2], 0) + 1
        self.touch()
        if trouble == 'lost':
            raise aws.Trouble('its answer is not JSON', False)
        return answer

    def get_caller_identity(self, _):
        return {'Account': '123456789012'}

    def describe_db_instances(self, words):
        if words['--db-instance-identifier'] != 'shop':
            raise aws.AwsError('DBInstanceNotFound', 'not found')
        return {'DBInstances': [self.instance]}

    def describe_events(self, _):
        return {'Events': self.events}

    def describe_orderable_db_instance_options(self, words):
        found = self.orderable.get(words['--db-instance-class'])
        return {'OrderableDBInstanceOptions': [found] if found else []}

    def describe_pending_maintenance_actions(self, _):
        return {'PendingMaintenanceActions': [{'PendingMaintenanceActionDetails': self.maintenance}]}

    def get_metric_data(self, _):
        return {'MetricDataResults': [{'Id': key, 'Values': value} for key, value in self.metrics.items()]}

    def describe_db_snapshots(self, _):
        return {'DBSnapshots': self.snapshots}

    def create_db_snapshot(self, words):
        self.must_be_available()
        made = {'DBSnapshotIdentifier': words['--db-snapshot-identifier'], 'Status': 'creating', 'SnapshotCreateTime': stamp(self.now)}
        if any(s['DBSnapshotIdentifier'] == made['DBSnapshotIdentifier'] for s in self.snapshots):
            raise aws.AwsError('DBSnapshotAlreadyExists', 'it exists')
        self.snapshots.append(made)
        self.instance['DBInstanceStatus'] = 'backing-up'
        self.after(90, lambda: (made.update(Status='available'), self.instance.update(DBInstanceStatus='available')))
        return {'DBSnapshot': made}

    def must_be_available(self):
        if self.instance['DBInstanceStatus'] != 'available':
            raise aws.AwsError('InvalidDBInstanceState', 'Database instance is not in available state.')

    def modify_db_instance(self, words):
        self.must_be_available()
        target = words['--db-instance-class']
        if self.instance['DBInstanceClass'] == target:
            return {}
        self.changes += 1
        self.instance['PendingModifiedValues'] = {'DBInstanceClass': target}
        self.after(SHOWN, lambda: (self.instance.update(DBInstanceStatus='modifying'), self.tell('Applying modification to database instance class')))
        self.fail_over(FAULT)

        def finished():
            self.instance.update(DBInstanceStatus='available', DBInstanceClass=target, PendingModifiedValues={})
            self.tell('Finished applying modification to DB instance class')
        self.after(FINISHED, finished)
        return {'DBInstance': self.instance}

    def reboot_db_instance(self, words):
        self.must_be_available()
        assert '--force-failover' in words
        self.changes += 1
        self.after(1, lambda: self.instance.update(DBInstanceStatus='rebooting'))
        self.fail_over(10)
        self.after(120, lambda: self.instance.update(DBInstanceStatus='available'))
        return {'DBInstance': self.instance}

    def fail_over(self, start):
        def fault():
            self.tell('Multi-AZ instance failover started.')
            self.host.update(state='outage')

        def promoted():
            i = self.instance
            i['AvailabilityZone'], i['SecondaryAvailabilityZone'] = i['SecondaryAvailabilityZone'], i['AvailabilityZone']
            self.tell('Multi-AZ instance failover completed')
            self.host['failovers'].insert(0, {'started': stamp(self.now - 78), 'cause': 'shutdown', 'detected_ms': 110, 'outage_ms': 78200,
                                              'released_ms': 78300, 'from': '10.0.1.4', 'to': '10.0.2.9'})
            self.host.update(state='available', writer='10.0.2.9', held=700)
        self.after(start, fault)
        self.after(start + PROMOTED - FAULT, promoted)

    # ---- blue/green ----------------------------------------------------------------------------------------------------------

    def create_blue_green_deployment(self, words):
        if self.deployment:
            raise aws.AwsError('BlueGreenDeploymentAlreadyExistsFault', 'it exists')
        self.must_be_available()
        self.changes += 1
        self.deployment = {'BlueGreenDeploymentIdentifier': 'bgd-1', 'BlueGreenDeploymentName': words['--blue-green-deployment-name'],
                           'Target': 'arn:aws:rds:eu-west-1:123456789012:db:shop-green-1', 'Status': 'PROVISIONING', 'version': words['--target-engine-version']}
        self.instance['DBInstanceStatus'] = 'backing-up'
        self.after(300, lambda: self.instance.update(DBInstanceStatus='available'))
        self.after(900, lambda: self.deployment.update(Status='AVAILABLE'))
        return {'BlueGreenDeployment': self.deployment}

    def describe_blue_green_deployments(self, words):
        known = self.deployment and words['--filters'].endswith('=' + self.deployment['BlueGreenDeploymentName'])
        return {'BlueGreenDeployments': [self.deployment] if known else []}

    def switchover_blue_green_deployment(self, _):
        if self.deployment['Status'] != 'AVAILABLE':
            raise aws.AwsError('InvalidBlueGreenDeploymentStateFault', 'not in an available state')
        self.changes += 1
        self.after(3, lambda: self.deployment.update(Status='SWITCHOVER_IN_PROGRESS'))
        self.fail_over(10)

        def switched():
            self.instance.update(EngineVersion=self.deployment['version'])
            self.deployment.update(Status='SWITCHOVER_COMPLETED')
        self.after(100, switched)
        return {'BlueGreenDeployment': self.deployment}

    def delete_blue_green_deployment(self, _):
        self.deployment = None
        return {}

    def describe_stacks(self, words):
        if words['--stack-name'] != 'demo':
            raise aws.AwsError('ValidationError', f'Stack with id {words["--stack-name"]} does not exist')
        return {'Stacks': [self.stack]}

    def get_template_summary(self, _):
        return {'Parameters': [{'ParameterKey': 'DbInstanceClass', 'ParameterConstraints': {'AllowedValues': self.allowed}}]}

    def update_stack(self, words):
        if not self.stack['StackStatus'].endswith('_COMPLETE'):
            raise aws.AwsError('ValidationError', f'Stack is in {self.stack["StackStatus"]} state and can not be updated. IN_PROGRESS')
        value = words['--parameters'].split('DbInstanceClass,ParameterValue=')[1].split()[0]
        if self.stack['Parameters'][0]['ParameterValue'] == value:
            raise aws.AwsError('ValidationError', 'No updates are to be performed.')
        self.stack.update(StackStatus='UPDATE_IN_PROGRESS')
        self.stack['Parameters'][0]['ParameterValue'] = value
        self.after(30, lambda: self.stack.update(StackStatus='UPDATE_COMPLETE'))
        return {}

    # ---- the web host ------------------------------------------------------------------------------------------------------

    def http(self, _url, data=None, headers=None):
        self.touch()
        answer = self.order(dict(urllib.parse.parse_qsl(data.decode()))) if data else json.dumps(self.status())
        self.touch()
        return answer

    def order(self, form):
        self.orders.append(form['action'])
        if form['action'] in ('hold', 'release'):
            self.host['order'] = {'action': 'hold', 'by': 'operator', 'drained': True} if form['action'] == 'hold' else None
        return 'done'

    def status(self):
        h = self.host
        counters = {'now': 0, 'held': h['held'], 'released': h['held'], 'expired': 0, 'rejected': 0, 'lost': 0, 'troubled': h['troubled'], 'redirected': 0}
        return {'databases': [{'name': 'shop', 'endpoint': 'shop.rds.test', 'state': h['state'], 'order': h['order'], 'hold': counters,
                               'replay': {'succeeded': 4, 'failed': 0, 'refused': 0}, 'writer': {'address': h['writer'], 'read_only': False},
                               'failovers': list(h['failovers'])}]}


def pairs(words):
    """--option value value …, as the CLI reads them."""
    at = 0
    while at < len(words):
        end = at + 1
        while end < len(words) and not words[end].startswith('--'):
            end += 1
        yield words[at], ' '.join(words[at + 1:end])
        at = end


class Stop:
    """The stopper of a script that lives in a World: nobody stops it."""

    def __init__(self, world, _say):
        self.world = world

    def listen(self):
        pass

    def now(self):
        return self.world.now

    def check(self):
        pass

    def wait(self, seconds):
        self.world.pass_time(seconds)


class Stage:
    """Runs scripts in a world, with a state directory of its own; a context manager. stopper: what stands for steps.Stopper."""

    def __init__(self, stopper=Stop):
        self.stopper = stopper

    def __enter__(self):
        self.state = tempfile.mkdtemp()
        self.saved = cli.Stopper, cli.Aws, site.request, sql.Sql, page.write, os.replace, time.time, os.fsync
        return self

    def __exit__(self, *_):
        cli.Stopper, cli.Aws, site.request, sql.Sql, page.write, os.replace, time.time, os.fsync = self.saved
        shutil.rmtree(self.state)

    def run(self, world, main, *argv, database=None, options=True):
        """(exit code or 'killed', what it said). database: what stands for sql.Sql, or None for nobody to ask."""
        class FakeAws(aws.Aws):
            def run(self, line):
                return world.aws(line[:-2])

        def no_database():
            raise sql.NoSql('neither DATABASE_URL nor RDS_HOSTNAME is set here')

        def replace(old, new):
            world.touch()
            self.saved[5](old, new)
            world.touch()

        def write_page(context, *_):
            world.touch()
            context.say.line('the page')
            world.touch()

        cli.Stopper = lambda say: self.stopper(world, say)
        cli.Aws = FakeAws
        site.request, page.write, os.replace = world.http, write_page, replace
        time.time, os.fsync = lambda: world.now, lambda _file: None
        sql.Sql = database or no_database
        common = ['--yes', '--state', self.state, '--region', 'eu-west-1', '--poll', '150'] if options else []
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code = main([*argv, *common])
            except Killed:
                code = 'killed'
            except SystemExit as end:
                code = end.code
        # A killed process holds no lock.
        gc.collect()
        return code, said.getvalue()


SITE = ['--status', 'http://web/rds-status', '--control', 'http://web/rds-control']
