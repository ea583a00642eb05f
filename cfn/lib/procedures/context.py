# SPDX-License-Identifier: Apache-2.0
"""What every procedure has at hand, and the steps that all of them share."""
import time

from . import checks, gather, instance, site, verify
from .follow import Follower
from .outcome import Declined, Failed, NotAsHoped, Refused, Usage
from .say import span
from .traffic import Traffic

# After RDS is at rest each host's module gets this long, in seconds, to say so too.
SITE_PATIENCE = 120


class Context:
    def __init__(self, options, aws, say, stop, journal):
        self.options, self.aws, self.say, self.stop, self.journal = options, aws, say, stop, journal
        self.follower = Follower(aws, say, stop, journal, options)
        self.traffic = Traffic(options, journal, say, stop)

    # ---- before ----------------------------------------------------------------------------------------------------------

    def judge(self, facts, verdicts):
        """Show what was found; raise Refused if anything speaks against it."""
        self.say.line(gather.headline(facts))
        self.weigh(verdicts)

    def remember(self, facts):
        """What verify will compare with, and the events up to now, which are none of this procedure's."""
        i = facts.instance
        host = (facts.hosts or [None])[0]
        self.journal.keep(zone=i.zone, secondary_zone=i.secondary_zone, klass=i.klass, version=i.version, endpoint=i.endpoint,
                          database=host.name if host else self.options.database, before=verify.remember(facts.hosts or []))
        self.follower.mute()

    def weigh(self, verdicts):
        """Tell them; raise Refused with all that speak against it."""
        checks.accept(verdicts, self.options.accept)
        bad = [v for v in verdicts if v.kind == checks.REFUSED]
        self.tell([v for v in verdicts if v not in bad])
        if bad:
            raise Refused('\n'.join(f'{v.name}: {v.text}.' for v in bad))

    def tell(self, verdicts):
        for v in verdicts:
            if v.kind == checks.OK:
                self.say.line(f'ok: {v.text}')
            elif v.kind == checks.NOT_CHECKED:
                self.say.loud(f'NOT CHECKED: {v.text}')
            else:
                self.say.loud(f'{v.kind}: {v.text}')

    def confirm(self, question):
        if self.options.yes:
            return
        if not self.say.may_ask():
            raise Usage('nobody can be asked here: say --yes to go ahead, or --dry-run to see what would be done')
        where = f'account {instance.account(self.aws) or "?"}{f", {self.aws.region}" if self.aws.region else ""}'
        if not self.say.ask(f'{question} ({where})?', self.stop.wait_for):
            raise Declined('nothing was changed')

    def arm(self):
        if not self.options.control:
            self.say.loud('no module is told that a failover is coming: no --control was given')
            return
        self.follower.arm()

    def order_plan(self, action, ttl=None):
        form = f'action={action}&ttl={ttl or self.options.ttl}'
        return [f"curl --header 'X-RDSFailover-Control: 1' --data '{form}' {url}" for url in self.options.control]

    def begin_traffic(self):
        if not self.options.traffic or self.journal.facts.get('verdicts') is not None:
            self.say.line('no traffic was asked for' if not self.options.traffic else 'no more traffic is needed')
            return
        self.traffic.begin()

    def linger(self, began, text):
        """Until the next look. began: stop.now() of the first one. Raises Failed when --patience is over."""
        if self.stop.now() - began > self.options.patience * 60:
            raise Failed(f'{text}: longer than --patience; run this script again to wait on')
        self.say.live(text)
        self.stop.wait(self.options.poll)

    # ---- after -----------------------------------------------------------------------------------------------------------

    def verify(self, more):
        """more: verdicts of the caller's own. What is wrong is told now, and raised by settle() when all else is done."""
        verdicts = more + verify.writable(self.hosts()) + verify.record(self.journal.facts['before'], self.hosts())
        self.tell(verdicts)
        self.journal.keep(verdicts=[[v.name, v.kind, v.text] for v in verdicts])

    def hosts(self):
        """As they answer when all say that the database is available, or after SITE_PATIENCE."""
        end = self.stop.now() + SITE_PATIENCE
        while True:
            hosts = [site.look(url, self.options.database, self.journal.facts.get('endpoint')) for url in self.options.status]
            late = [h for h in hosts if h.error or h.state != 'available' or h.stale]
            if not late or self.stop.now() > end:
                return hosts
            self.say.live(f'waiting for {late[0].url}: {late[0].error or late[0].state}')
            self.stop.wait(min(self.options.poll, 1))

    def disarm(self):
        if self.options.control:
            self.follower.arm('disarm')

    def abandon(self):
        """Nothing was asked of the database: as if the script had never run, but for a snapshot."""
        self.traffic.end(wait=False)
        order = self.journal.facts.get('order')
        if order == 'hold':
            self.follower.arm('release')
        if order in ('arm', 'hold'):
            self.disarm()
        self.journal.drop()

    def settle(self):
        """The last word."""
        took = span(time.time() - self.journal.began)
        bad = [text for _, kind, text in self.journal.facts.get('verdicts', []) if kind == checks.REFUSED]
        if bad:
            raise NotAsHoped(f'done in {took}, but not as it should be:\n' + '\n'.join(f'{text}.' for text in bad))
        self.say.step = 'done'
        for name, kind, text in self.journal.facts.get('verdicts', []):
            if kind == checks.OK and name in ('class', 'version', 'zones', 'record', 'traffic'):
                self.say.line(text)
        self.say.line(f'in {took}')
