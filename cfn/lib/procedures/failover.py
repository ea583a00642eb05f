# SPDX-License-Identifier: Apache-2.0
"""failover: reboot with failover, as a rehearsal of what RDS does in an upgrade, or to bring the writer back to its zone."""
from . import checks, cli, gather, instance, page, site, verify
from .aws import AwsError
from .follow import GIVEN_UP
from .outcome import Failed
from .steps import Step

# How long --hold waits for requests under way, in seconds; then the failover comes all the same, and they run again.
DRAIN = 30
# And how long the order holds: until RDS has surely begun. From then on the module holds requests by itself.
HOLD = 60


class Failover:
    def __init__(self, context):
        self.c, self.o = context, context.options

    def steps(self):
        c = self.c
        hold = Step('hold', 'new requests wait before it, so that no transaction is cut', self.hold, lambda: c.order_plan('hold', HOLD))
        release = Step('release', 'the order ends; it would by itself', lambda: c.follower.arm('release'))
        return [
            Step('check', 'may it be done?', self.check),
            Step('traffic', 'traffic, if asked for', c.begin_traffic, c.traffic.plan if self.o.traffic else lambda: [], always=True),
            Step('arm', 'the module of each host is told that a failover is coming', c.arm, lambda: c.order_plan('arm')),
            *([hold] if self.o.hold else []),
            Step('reboot', 'RDS is asked to fail over', self.reboot, lambda: [c.aws.show('rds', 'reboot-db-instance', *self.words())]),
            Step('follow', 'until RDS has finished', self.follow),
            *([release] if self.o.hold else []),
            Step('verify', "zones, writability, the site's own record", self.verify),
            Step('disarm', 'no failover is expected any more', c.disarm),
            Step('report', 'the page', self.report),
        ]

    def facts(self):
        facts = gather.failover(self.c.aws, self.o)
        return facts, checks.failover(facts)

    def check(self):
        if self.c.journal.facts.get('order') == 'hold':
            self.c.follower.arm('release')
        facts, verdicts = self.facts()
        self.c.judge(facts, verdicts)
        self.c.remember(facts)
        i = facts.instance
        self.c.confirm(f'Fail {i.identifier} over from {i.zone} to {i.secondary_zone} now? For 60 to 120 s nothing answers. Go ahead')

    def hold(self):
        self.c.follower.arm('hold', HOLD)
        end = self.c.stop.now() + DRAIN
        while self.c.stop.now() < end:
            busy = [url for url in self.o.status if not site.look(url, self.o.database, self.c.journal.facts.get('endpoint')).drained]
            if not busy:
                self.c.say.line('no protected request runs any more')
                return
            self.c.say.live(f'requests still run at {busy[0]}')
            self.c.stop.wait(min(self.o.poll, 1))
        self.c.say.loud(f'requests still run after {DRAIN} s; they will meet the failover')

    def words(self):
        return ['--db-instance-identifier', self.o.instance, '--force-failover']

    def reboot(self):
        """A second failover is worse than none: one that may have been asked for is looked for before asking again."""
        began, looks = self.c.stop.now(), 0
        while True:
            i = instance.describe(self.c.aws, self.o.instance)
            self.c.follower.tell_events()
            asked = self.c.journal.facts.get('asked')
            if asked and (self.has_moved(i) or i.status != 'available' or self.heard('failover')):
                self.c.say.line(f'{i.identifier} has been asked already')
                return
            if i.status == 'available' and (not asked or looks >= GIVEN_UP) and self.ask():
                self.c.say.line(f'{i.identifier} is asked to fail over')
                return
            looks += 1
            self.c.linger(began, f'{i.identifier} is {i.status}, in {i.zone}; '
                          + ('it may have been asked already, looking' if asked else 'waiting until it is available'))

    def ask(self):
        before = self.c.journal.facts.get('asked')
        self.c.journal.keep(asked=True)
        try:
            self.c.aws.change('rds', 'reboot-db-instance', *self.words())
            return True
        except AwsError as error:
            if not before:
                self.c.journal.forget()
            if error.code in instance.INVALID_STATE:
                return False
            raise Failed(f'RDS refuses to fail {self.o.instance} over ({error}). Nothing was changed') from None

    def has_moved(self, i):
        return i.zone != self.c.journal.facts['zone']

    def heard(self, words):
        return any(words in text.lower() for _, text in self.c.journal.facts.get('events', []))

    def follow(self):
        """The zones may be told minutes after the failover's end; nothing waits for that for ever."""
        rested = 0

        def is_done(i):
            nonlocal rested
            rested = rested + 1 if i.status == 'available' and self.heard('failover completed') else 0
            return i.status == 'available' and self.has_moved(i) or rested >= GIVEN_UP
        try:
            i = self.c.follower.until(is_done, has_begun=lambda: self.heard('failover'))
        except Failed:
            i = instance.look(self.c.aws, self.o.instance)
            if i and i.status == 'available' and not self.has_moved(i) and not self.heard('failover'):
                self.c.journal.forget('reboot', 'follow')
            raise
        self.c.say.line(f'{i.identifier} is available, in {i.zone}')

    def verify(self):
        i = instance.describe(self.c.aws, self.o.instance)
        zones = verify.zones(self.c.journal.facts, i)
        if not self.has_moved(i) and self.heard('failover completed'):
            zones = [checks.Verdict('zones', checks.NOT_CHECKED, f'RDS says that the failover is complete and still names {i.zone}; it may be '
                                                                 'late')]
        self.c.verify(zones)

    def report(self):
        facts = self.c.journal.facts
        page.write(self.c, f'{self.o.instance}: failover', f'RDS is asked to fail over from {facts["zone"]} to {facts["secondary_zone"]}.',
                   facts['zone'], facts['secondary_zone'])


def main(name, text, argv=None):
    p = cli.parser(name, text)
    p.add_argument('--hold', action='store_true', help='have requests wait before it (action=hold), and those under way come to their end')
    cli.site_options(p)
    cli.traffic_options(p)
    cli.common_options(p)
    return cli.main(p, Failover, lambda options: {}, argv)
