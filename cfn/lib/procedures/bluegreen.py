# SPDX-License-Identifier: Apache-2.0
"""blue-green: another engine version, which no queue could cover in place. RDS makes a copy that follows (green); with --switch the
copy takes the name, and the outage is that of a failover."""
import hashlib

from . import checks, cli, gather, instance, page
from .aws import AwsError
from .follow import GIVEN_UP
from .outcome import Failed, Pause
from .steps import Step

GONE = ('BlueGreenDeploymentNotFoundFault', 'BlueGreenDeploymentNotFound')
CREATE, SWITCH, DELETE = (('rds', f'{verb}-blue-green-deployment') for verb in ('create', 'switchover', 'delete'))
READY, SWITCHING, SWITCHED = 'AVAILABLE', 'SWITCHOVER_IN_PROGRESS', 'SWITCHOVER_COMPLETED'
# What RDS takes as a deployment's name.
LONGEST_NAME = 60
BAD = ('INVALID_CONFIGURATION', 'PROVISIONING_FAILED', 'SWITCHOVER_FAILED', 'DELETING')


class BlueGreen:
    def __init__(self, context):
        self.c, self.o = context, context.options

    def steps(self):
        c = self.c
        return [
            Step('check', 'may it be done?', self.check),
            Step('create', 'RDS makes the green copy', self.create, lambda: [c.aws.show(*CREATE, *self.create_words('ARN'))]),
            Step('green', 'until green follows blue', self.wait_for_green),
            Step('decide', 'without --switch it ends here, to be tested and run again', self.decide),
            Step('look', 'may it be switched?', self.look_again),
            Step('traffic', 'traffic, if asked for', c.begin_traffic, c.traffic.plan if self.o.traffic else lambda: [], always=True),
            Step('arm', 'the module of each host is told that a failover is coming', c.arm, lambda: c.order_plan('arm')),
            Step('switch', 'green takes the name', self.switch, lambda: [c.aws.show(*SWITCH, *self.switch_words('ID'))]),
            Step('follow', 'until the switch is over', self.follow),
            Step('verify', "version, writability, the site's own record", self.verify),
            Step('disarm', 'no failover is expected any more', c.disarm),
            Step('tidy', 'the deployment is deleted, the old instance stays', self.tidy,
                 lambda: [c.aws.show(*DELETE, '--blue-green-deployment-identifier', 'ID')]),
            Step('report', 'the page', self.report),
        ]

    # ---- green -----------------------------------------------------------------------------------------------------------

    def facts(self):
        facts = gather.failover(self.c.aws, self.o)
        return facts, checks.blue_green(facts, self.o.version)

    def check(self):
        if self.look():
            self.c.say.line('the deployment is there already')
            # One that another machine began: what it knew from before is not here.
            if 'endpoint' not in self.c.journal.facts:
                self.c.remember(self.facts()[0])
            return
        facts, verdicts = self.facts()
        self.c.judge(facts, verdicts)
        self.c.follower.mute()
        self.c.journal.keep(arn=facts.instance.arn)
        self.c.confirm(f'Make a copy of {facts.instance.identifier} with version {self.o.version} now? It is billed like the first. Go ahead')

    def name(self):
        """The same whoever asks, so that nobody makes a second one. CloudFormation's names of instances are long."""
        version = self.o.version.replace('.', '-')
        whole = f'{self.o.instance}-{version}'
        if len(whole) <= LONGEST_NAME:
            return whole
        digest = hashlib.sha256(self.o.instance.encode()).hexdigest()[:8]
        return f'{self.o.instance[:LONGEST_NAME - len(version) - 10].rstrip("-")}-{digest}-{version}'

    def create_words(self, arn):
        group = ['--target-db-parameter-group-name', self.o.parameter_group] if self.o.parameter_group else []
        return ['--blue-green-deployment-name', self.name(), '--source', arn, '--target-engine-version', self.o.version, *group]

    def look(self):
        """The deployment, or None."""
        words = ['--filters', f'Name=blue-green-deployment-name,Values={self.name()}']
        try:
            found = self.c.aws.read('rds', 'describe-blue-green-deployments', *words).get('BlueGreenDeployments') or []
        except AwsError as error:
            if error.code in GONE:
                return None
            raise
        return found[0] if found else None

    def create(self):
        found = self.look()
        if not found:
            found = self.c.aws.change(*CREATE, *self.create_words(self.c.journal.facts['arn']))['BlueGreenDeployment']
        self.c.say.line(f'deployment {found["BlueGreenDeploymentIdentifier"]}')

    def wait_until(self, *states):
        began = self.c.stop.now()
        while True:
            found = self.look()
            if not found:
                raise Failed(f'the deployment {self.name()} is gone: somebody deleted it. Delete {self.c.journal.path} to begin anew')
            status = found['Status']
            if status in states:
                return found
            if status in BAD:
                why = found.get('StatusDetails') or 'see its events'
                raise Failed(f'the deployment {self.name()} is {status} ({why}): repair that, or delete it (aws rds '
                             'delete-blue-green-deployment)')
            self.c.follower.tell_events()
            if self.c.journal.facts.get('asked'):
                self.c.follower.watch_site()
            tasks = ', '.join(f'{t["Name"].lower()} {t["Status"].lower()}' for t in found.get('Tasks') or [] if t.get('Status') != 'COMPLETED')
            self.c.linger(began, f'{self.name()}: {status}{f", {tasks}" if tasks else ""}{self.c.follower.site_words()}')

    def wait_for_green(self):
        found = self.wait_until(READY, SWITCHING, SWITCHED)
        self.c.say.line(f'green is {found["Target"].rsplit(":", 1)[-1]}: {found["Status"]}')

    def decide(self):
        if not self.o.switch and self.look()['Status'] == READY:
            raise Pause('green follows blue. Test it by its own endpoint (aws rds describe-db-instances), then run the same command with '
                        '--switch. Until then both are billed')

    def look_again(self):
        """Days may have passed."""
        if self.look_status() != READY:
            return
        facts, verdicts = self.facts()
        self.c.judge(facts, verdicts)
        self.c.remember(facts)

    # ---- the switch --------------------------------------------------------------------------------------------------------

    def switch_words(self, identifier):
        return ['--blue-green-deployment-identifier', identifier, '--switchover-timeout', str(self.o.switchover_timeout)]

    def switch(self):
        found = self.look()
        # Asked before a kill, or by a call whose answer was lost: RDS may be late in telling.
        looks = GIVEN_UP if self.c.journal.facts.get('asked') else 0
        while looks and found and found['Status'] == READY:
            self.c.say.live('it may have been asked already, looking')
            self.c.stop.wait(self.o.poll)
            found, looks = self.look(), looks - 1
        if not found or found['Status'] != READY:
            self.c.say.line(f'{found["Status"] if found else "gone"} already')
            self.c.journal.keep(asked=True)
            return
        self.c.confirm(f'Switch {self.o.instance} to the green copy now? For about a minute nothing answers. Go ahead')
        self.c.journal.keep(asked=True)
        try:
            self.c.aws.change(*SWITCH, *self.switch_words(found['BlueGreenDeploymentIdentifier']))
        except AwsError as error:
            # It has begun by a call whose answer was lost; follow tells.
            if not error.code.startswith('InvalidBlueGreenDeploymentState'):
                self.c.journal.forget('switch')
                raise
        self.c.say.line(f'asked; RDS gives up after {self.o.switchover_timeout} s, and all is as before then')

    def follow(self):
        started = self.c.stop.now()
        # AVAILABLE again: RDS may be late in telling that it has begun, or has rolled back.
        while self.look_status() == READY:
            if self.c.stop.now() - started > self.o.switchover_timeout:
                self.c.journal.forget('switch', 'follow')
                raise Failed(f'the switchover was rolled back by RDS, and {self.o.instance} is as before: see the events above, and run this '
                             'script again')
            self.c.follower.tell_events()
            self.c.follower.watch_site()
            self.c.stop.wait(self.o.poll)
        self.wait_until(SWITCHED)
        self.c.say.line(f'{self.o.instance} is what was green')

    def look_status(self):
        found = self.look()
        return found and found['Status']

    def verify(self):
        i = instance.describe(self.c.aws, self.o.instance)
        right = i.version == self.o.version and i.endpoint == self.c.journal.facts['endpoint']
        say = checks.fine if right else checks.refuse
        self.c.verify(say('version', f'{i.identifier} is {i.engine} {i.version} at {i.endpoint}'))

    def tidy(self):
        found = self.look()
        if found and found['Status'] != 'DELETING':
            self.c.aws.change(*DELETE, '--blue-green-deployment-identifier', found['BlueGreenDeploymentIdentifier'])
        self.c.say.loud(f'{self.o.instance}-old1 is the database of before; it is billed until it is deleted')
        self.c.say.loud(f'the stack has another version on record now: set EngineVersion in cfn/templates/database.yaml to {self.o.version} '
                        'before its next update')

    def report(self):
        facts = self.c.journal.facts
        page.write(self.c, f'{self.o.instance}: {facts["version"]} to {self.o.version}', 'A copy with the new version takes the name.',
                   facts['version'], self.o.version)


def main(name, text, argv=None):
    p = cli.parser(name, text)
    p.add_argument('--version', metavar='V', required=True, help='the engine version to have, such as 8.4.6')
    p.add_argument('--parameter-group', metavar='NAME', help="one of the new version's family, if that is another")
    p.add_argument('--switch', action='store_true', help='switch when green is ready; without it, make green and stop there')
    p.add_argument('--switchover-timeout', metavar='S', type=cli.number(30, 3600), default=300,
                   help='RDS rolls a switch back that takes longer (300)')
    cli.site_options(p)
    cli.traffic_options(p)
    cli.common_options(p)
    return cli.main(p, BlueGreen, lambda options: {'version': options.version}, argv)
