# SPDX-License-Identifier: Apache-2.0
"""upgrade and downgrade: another instance class, in place, by a failover."""
from . import checks, cli, gather, instance, page, snapshot, stack, verify
from .aws import AwsError
from .outcome import Failed, Refused
from .steps import Step


class Change:
    """down: to a smaller class, with the checks that takes."""

    def __init__(self, context, down):
        self.c, self.down = context, down
        self.o = context.options

    def steps(self):
        c = self.c
        return [
            Step('check', 'may it be done?', self.check),
            Step('snapshot', 'a recent snapshot, or a new one', self.snapshot, lambda: snapshot.plan(c)),
            Step('traffic', 'traffic, if asked for', c.begin_traffic, c.traffic.plan if self.o.traffic else lambda: [], always=True),
            Step('arm', 'the module of each host is told that a failover is coming', c.arm, lambda: c.order_plan('arm')),
            Step('modify', 'RDS is asked for the class', self.modify, lambda: [c.aws.show('rds', 'modify-db-instance', *self.words())]),
            Step('follow', 'until RDS has finished: standby first, then a failover, then the other', self.follow),
            Step('verify', "class, zones, writability, the site's own record", self.verify),
            Step('disarm', 'no failover is expected any more', c.disarm),
            Step('reconcile', 'the stack is told the new class', self.reconcile, self.reconcile_plan),
            Step('report', 'the page', self.report),
        ]

    def facts(self):
        facts = gather.class_change(self.c.aws, self.o, self.down)
        return facts, checks.class_change(facts)

    def check(self):
        snapshot.rest(self.c)
        facts, verdicts = self.facts()
        self.c.judge(facts, verdicts)
        self.c.remember(facts)
        i = facts.instance
        self.c.confirm(f'Change {i.identifier} from {i.klass} to {self.o.klass} now? In some minutes it fails over: nothing answers for 60 to '
                       '120 s. Go ahead')

    def snapshot(self):
        snapshot.ensure(self.c)
        if self.c.journal.facts.get('snapshot'):
            # One of our own may have taken an hour, and the answers of the checks are as old.
            snapshot.rest(self.c)
            self.c.judge(*self.facts())

    def words(self):
        return ['--db-instance-identifier', self.o.instance, '--db-instance-class', self.o.klass, '--apply-immediately']

    def modify(self):
        began = self.c.stop.now()
        while True:
            i = instance.describe(self.c.aws, self.o.instance)
            if self.has_class(i) or i.pending.get('DBInstanceClass') == self.o.klass:
                self.c.say.line(f'{i.identifier} has been asked for {self.o.klass} already')
                self.c.journal.keep(asked=True)
                return
            if i.pending and not self.c.journal.facts.get('asked'):
                raise Refused(self.others(i))
            # Asking again, after a lost answer, would apply theirs as well.
            if i.pending and i.status == 'available':
                raise Failed(f'{self.others(i)}, then run this script again')
            if i.status == 'available' and self.ask():
                self.c.say.line(f'{i.identifier} is asked for {self.o.klass}, at once')
                return
            self.c.linger(began, f'{i.identifier} is {i.status}; waiting until it is available')

    def others(self, i):
        return f'somebody has asked {i.identifier} for another change meanwhile ({", ".join(i.pending)}): let that end first'

    def ask(self):
        # Written down first: a script that is killed in the middle of the call must not believe that nothing happened.
        self.c.journal.keep(asked=True)
        try:
            self.c.aws.change('rds', 'modify-db-instance', *self.words())
            return True
        except AwsError as error:
            if error.code in instance.INVALID_STATE:
                return False
            self.c.journal.forget('modify')
            raise Failed(f'RDS refuses {self.o.klass} for {self.o.instance} ({error}). Nothing was changed: choose another class, or try '
                         'later') from None

    def has_class(self, i):
        return i.klass == self.o.klass and 'DBInstanceClass' not in i.pending

    def follow(self):
        try:
            i = self.c.follower.until(lambda i: self.has_class(i) and i.status == 'available')
        except Failed:
            i = instance.look(self.c.aws, self.o.instance)
            if i and i.status == 'available' and not i.pending and not self.has_class(i):
                self.c.journal.forget('modify', 'follow')
            raise
        self.c.say.line(f'{i.identifier} is {i.klass} and available')

    def verify(self):
        i = instance.describe(self.c.aws, self.o.instance)
        klass = (checks.fine if self.has_class(i) else checks.refuse)('class', f'{i.identifier} is {i.klass}')
        self.c.verify(klass + verify.zones(self.c.journal.facts, i))

    def reconcile(self):
        if not self.o.stack:
            self.c.say.loud(f'no stack is told: one that made {self.o.instance} has another class on record now, and its next update may change '
                            'it back')
            return
        stack.reconcile(self.c, self.o.stack, self.o.klass)

    def reconcile_plan(self):
        if not self.o.stack:
            return []
        known = stack.describe(self.c.aws, self.o.stack)
        return [self.c.aws.show('cloudformation', 'update-stack', *stack.update_words(known, self.o.klass))]

    def report(self):
        facts = self.c.journal.facts
        page.write(self.c, f'{self.o.instance}: {facts["klass"]} to {self.o.klass}',
                   f'RDS changes the standby in {facts["secondary_zone"]}, fails over to it, and then changes the old writer in '
                   f'{facts["zone"]}.',
                   facts['klass'], self.o.klass)


def main(name, text, down, argv=None):
    p = cli.parser(name, text)
    p.add_argument('--class', dest='klass', metavar='CLASS', required=True, help='the class to have, such as db.m7g.large')
    p.add_argument('--snapshot-age', metavar='H', type=cli.number(0, 8760), default=24,
                   help='make a snapshot if none is younger than so many hours (24)')
    cli.site_options(p)
    cli.traffic_options(p)
    cli.common_options(p)
    return cli.main(p, lambda context: Change(context, down), lambda options: {'class': options.klass}, argv)
