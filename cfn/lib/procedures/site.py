# SPDX-License-Identifier: Apache-2.0
"""/rds-status of each web host, and orders to it (docs/status.md). An order counts for one host, so each gets its own."""
import base64
import dataclasses
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import Optional

PATIENCE = 10

# Requests that visitors saw fail, as the module counts them.
FAILED = {
    'hold.expired': 'waited their time and got 503', 'hold.rejected': 'found no place to wait', 'hold.lost': 'waited in a process that died',
    'hold.troubled': 'failed after they were let go', 'replay.failed': 'failed again', 'replay.refused': 'failed and could not be repeated',
}
FINE = {'hold.held': 'waited', 'replay.succeeded': 'ran again and succeeded', 'hold.redirected': 'were sent round'}


@dataclasses.dataclass
class Host:
    url: str
    error: str = ''
    name: str = ''
    state: str = ''
    stale: bool = False
    order: str = ''
    order_by: str = ''
    drained: bool = False
    waiting: int = 0
    writer: str = ''
    read_only: Optional[bool] = None
    counters: dict = dataclasses.field(default_factory=dict)
    failovers: list = dataclasses.field(default_factory=list)


class Straight(urllib.request.HTTPRedirectHandler):
    """An order follows no redirect: it would arrive as a GET, be answered with 200, and nothing would have been ordered."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


def request(url, data=None, headers=None):
    made = urllib.request.Request(url, data=data, headers=headers or {})
    opener = urllib.request.build_opener(Straight) if data else urllib.request.build_opener()
    with opener.open(made, timeout=PATIENCE) as answer:
        return answer.read().decode('utf-8', 'replace')


def why(error):
    if isinstance(error, urllib.error.HTTPError):
        to = error.headers.get('Location') if 300 <= error.code < 400 else None
        return f'{error.code} {error.reason}' + (f' to {to}' if to else '')
    return str(getattr(error, 'reason', error))


def look(url, database=None, endpoint=None):
    """What one host says of one database: the named one, or that of the endpoint, or the only one."""
    try:
        return parse(url, json.loads(request(url.rstrip('?') + '?json', headers=credentials())), database, endpoint)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Host(url, error=why(error))


def parse(url, status, database, endpoint):
    all_of_them = status['databases']
    found = [d for d in all_of_them if d['name'] == database] if database else \
        [d for d in all_of_them if d.get('endpoint') == endpoint] or (all_of_them if len(all_of_them) == 1 else [])
    if not found:
        names = ', '.join(d['name'] for d in all_of_them) or 'none'
        return Host(url, error=f'which database is meant is not clear; it watches {names}. Name one by --database')
    d = found[0]
    order, writer = d.get('order') or {}, d.get('writer') or {}
    counters = {f'{part}.{key}': value for part in ('hold', 'replay') for key, value in (d.get(part) or {}).items() if isinstance(value, int)}
    return Host(url, name=d['name'], state=d['state'], stale=bool(d.get('stale')), order=order.get('action', ''), order_by=order.get('by', ''),
                drained=bool(order.get('drained')), waiting=counters.get('hold.now', 0), writer=writer.get('address') or '',
                read_only=writer.get('read_only'), counters=counters, failovers=d.get('failovers') or [])


def credentials():
    """The operator's, from the environment: a command line is read by everybody on the machine."""
    user, password = os.environ.get('RDS_CONTROL_USER'), os.environ.get('RDS_CONTROL_PASSWORD')
    path = os.environ.get('RDS_CONTROL_PASSWORD_FILE')
    if password is None and path:
        with open(path, encoding='utf-8') as text:
            password = text.read().rstrip('\n')
    if not user:
        return {}
    token = base64.b64encode(f'{user}:{password or ""}'.encode()).decode()
    return {'Authorization': f'Basic {token}'}


def order(url, database, action, ttl=None):
    """None when the host has carried it out, or why not."""
    form = {'action': action, **({'ttl': str(ttl)} if ttl else {}), **({'database': database} if database else {})}
    headers = {**credentials(), 'X-RDSFailover-Control': '1', 'Content-Type': 'application/x-www-form-urlencoded'}
    try:
        request(url, urllib.parse.urlencode(form).encode(), headers)
        return None
    except (OSError, ValueError) as error:
        return why(error)


def new_failovers(before, host):
    """Those that the host has on record now and had not then. before: their `started`."""
    return [f for f in host.failovers if f.get('started') not in before]


def differences(before, host):
    """({counter: more}, whether the counters began anew meanwhile)."""
    names = list(FAILED) + list(FINE)
    anew = any(host.counters.get(name, 0) < before.get(name, 0) for name in names)
    base = {} if anew else before
    return {name: host.counters.get(name, 0) - base.get(name, 0) for name in names}, anew
