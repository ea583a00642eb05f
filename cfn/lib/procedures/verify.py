# SPDX-License-Identifier: Apache-2.0
"""After a failover: has the writer moved, does it take writes, and what does the site's own record say?"""
from . import site, sql
from .checks import NOT_CHECKED, OK, REFUSED, Verdict


def zones(facts, found):
    """facts: the journal's zone and secondary_zone, from before."""
    if found.zone == facts['secondary_zone'] and found.secondary_zone == facts['zone']:
        return [Verdict('zones', OK, f'the writer moved from {facts["zone"]} to {found.zone}, the standby is in {found.secondary_zone}')]
    if found.zone == facts['zone']:
        return [Verdict('zones', REFUSED, f'the writer is in {found.zone} as before: there was no failover, or two. The events above tell')]
    return [Verdict('zones', REFUSED, f'the writer is in {found.zone} and the standby in {found.secondary_zone or "no zone"}, '
                                      f'not in {facts["secondary_zone"]} and {facts["zone"]}')]


def writable(hosts):
    """By whoever can tell: each module has logged in and looked; else the site's own DSN."""
    found = []
    for host in hosts:
        if host.error:
            found.append(Verdict('writable', NOT_CHECKED, f'{host.url}: {host.error}'))
        elif host.state in ('available', 'recovering') and host.read_only is False and not host.stale:
            found.append(Verdict('writable', OK, f'{host.url}: {host.name} is {host.state}, writer {host.writer} takes writes'))
        else:
            found.append(Verdict('writable', REFUSED, f'the module at {host.url} says "{"stale" if host.stale else host.state}" of {host.name}'
                                                      f'{", and that it is read-only" if host.read_only else ""}'))
    if any(v.kind != NOT_CHECKED for v in found):
        return found
    try:
        takes = sql.Sql().takes_writes()
        return [Verdict('writable', OK if takes else REFUSED, 'it takes writes' if takes else 'it says that it is read-only')]
    except sql.NoSql as why:
        return found + [Verdict('writable', NOT_CHECKED, f'whether it takes writes: {why}')]


def record(before, hosts):
    """before: {url: {failovers, counters}}, as remember() took it."""
    found = []
    for host in hosts:
        known = before.get(host.url)
        if host.error or not known:
            found.append(Verdict('record', NOT_CHECKED, f'the record of {host.url}: {host.error or "it was not asked before"}'))
            continue
        new = site.new_failovers(known['failovers'], host)
        more, anew = site.differences(known['counters'], host)
        failed = ', '.join(f'{more[name]} {text}' for name, text in site.FAILED.items() if more[name])
        fine = ', '.join(f'{more[name]} {text}' for name, text in site.FINE.items() if more[name])
        since = ' (since httpd was started anew in between)' if anew else ''
        if not new:
            found.append(Verdict('record', REFUSED, f'the module at {host.url} has no new failover on record{since}: is it the same database?'))
        for f in reversed(new):
            found.append(Verdict('record', OK, f'{host.url}: {line(f)}'))
        found.append(Verdict('record', REFUSED, f'{host.url}: requests failed{since}: {failed}') if failed else
                     Verdict('record', OK, f'{host.url}: no request failed{since}' + (f'; {fine}' if fine else '')))
    return found


def line(f):
    ms = lambda name: f'{f[name] / 1000:.1f} s' if f.get(name) is not None else '?'
    return (f'{f.get("cause") or "?"} at {f.get("started", "")[11:19]}Z, noticed after {ms("detected_ms")}, a writer again after '
            f'{ms("outage_ms")}, '
            f'{f.get("from") or "?"} to {f.get("to") or "?"}')


def remember(hosts):
    return {host.url: {'failovers': [f.get('started') for f in host.failovers], 'counters': host.counters} for host in hosts if not host.error}
