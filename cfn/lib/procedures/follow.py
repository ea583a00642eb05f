# SPDX-License-Identifier: Apache-2.0
"""Waits for RDS and tells what happens meanwhile: its events, its status, and what the site's own record says.

RDS's status is no word about service: it stays "modifying" for ten minutes and more after the database is back, and may still
read "available" just after a change was asked for. So the end is what was asked for, at rest; service is what the site says."""
import dataclasses
from typing import Callable, Dict

from . import instance, site
from .aws import AwsError
from .outcome import Failed
from .say import span

# A status that RDS does not leave by itself.
STUCK = ('failed', 'incompatible-', 'storage-full', 'inaccessible-', 'stopped', 'restore-error', 'deleting', 'insufficient-')
# Looks at an instance that is at rest and yet not as asked, before that counts as RDS having given up: it may be late in telling.
GIVEN_UP = 12
# Orders that end by themselves.
TIMED = ('arm', 'hold')


def key(event):
    return [event.date, event.text]


@dataclasses.dataclass
class Follower:
    """options: status, database, patience (minutes), poll (seconds), ttl. before: what the journal knows: {events}."""
    aws: object
    say: object
    stop: object
    journal: object
    options: object

    def __post_init__(self):
        self.told = [tuple(k) for k in self.journal.facts.get('told', [])]
        self.states: Dict[str, str] = {}
        self.armed_at = float('-inf')

    def until(self, is_done: Callable[[instance.Instance], bool], has_begun: Callable[[], bool] = lambda: False):
        """The instance when is_done says so. At rest, not done and not begun for GIVEN_UP looks means that RDS will not do it any more."""
        i = self.options.instance
        began = self.stop.now()
        rested = 0
        while True:
            found = instance.look(self.aws, i)
            self.tell_events()
            if found and is_done(found):
                return found
            if found:
                if found.status.startswith(STUCK):
                    raise Failed(f'{i} is "{found.status}": RDS needs you. {self.last_words()} The events above say why; when it is '
                                 '"available" again run this script once more')
                rested = rested + 1 if found.status == 'available' and not found.pending else 0
            if rested >= GIVEN_UP and not has_begun():
                raise Failed(f'{i} is "available" with {found.klass}, and RDS has nothing pending: it has given the change up. '
                             f'{self.last_words()} Run this script again to ask once more')
            waited = self.stop.now() - began
            if waited > self.options.patience * 60:
                raise Failed(f'{i} is "{found.status if found else "gone"}" after {span(waited)}, longer than --patience: it goes on '
                             'without this script; run it again to follow')
            self.watch_site()
            pending = ', '.join(f'{k}={v}' for k, v in found.pending.items()) if found else ''
            self.say.live(f'{span(waited)}: {found.status if found else "not there"}, {found.klass if found else ""}'
                          f'{f"; pending {pending}" if pending else ""}{self.site_words()}')
            self.stop.wait(self.options.poll)

    def tell_events(self):
        try:
            found = instance.events(self.aws, self.options.instance)
        except AwsError as error:
            self.say.line(f'events cannot be read: {error}')
            return
        news = [e for e in found if tuple(key(e)) not in self.told]
        for event in news:
            self.say.line(f'RDS {event.date[11:19]}Z: {event.text}')
            self.told.append(tuple(key(event)))
        if news:
            self.journal.keep(told=[list(k) for k in self.told], events=self.journal.facts.get('events', []) + [key(e) for e in news])

    def mute(self):
        """Events up to now are none of this procedure's."""
        self.told = [tuple(key(e)) for e in instance.events(self.aws, self.options.instance)]
        self.journal.keep(told=[list(k) for k in self.told], events=[])

    def last_words(self):
        events = self.journal.facts.get('events', [])
        return f'Its last event: {events[-1][1].rstrip(".")}.' if events else ''

    # ---- the site ------------------------------------------------------------------------------------------------------

    def watch_site(self):
        for url in self.options.status:
            host = site.look(url, self.options.database, self.journal.facts.get('endpoint'))
            state = host.state if not host.error else f'no answer ({host.error})'
            if self.states.get(url) not in (None, state):
                self.say.line(f'site {url}: {state}{f", {host.waiting} requests wait" if host.waiting else ""}')
            self.states[url] = state
        if self.options.control and self.stop.now() > self.armed_at + self.options.ttl / 2:
            self.arm()

    def arm(self, action='arm', ttl=None):
        """Give an order to each host. One that fails is told and no reason to stop: the module finds out by itself what happens,
        some tenths of a second later."""
        self.armed_at = self.stop.now()
        ttl = (ttl or self.options.ttl) if action in TIMED else None
        is_new = self.journal.facts.get('order') != action
        # Written down first: what a killed script has ordered, the next one takes back.
        self.journal.keep(order=action)
        for url in self.options.control:
            error = site.order(url, self.journal.facts.get('database'), action, ttl)
            if error:
                self.say.loud(f'{url} did not take the order {action}: {error}')
            elif is_new:
                self.say.line(f'{url}: {action}' + (f' for {ttl} s' if ttl else ''))

    def site_words(self):
        return ''.join(f'; {state}' for state in sorted(set(self.states.values())))
