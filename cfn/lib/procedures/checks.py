# SPDX-License-Identifier: Apache-2.0
"""From facts to verdicts. Pure: gather.py asks, this decides.

Each refusal is one sentence: what is wrong, where, what to do. What could not be asked is never taken for good: it is a verdict
of its own, and said aloud."""
import dataclasses
from typing import List, Optional

from . import classes
from .instance import Instance

OK, REFUSED, NOT_CHECKED, NOTE = 'ok', 'refused', 'not checked', 'note'

# What a person may take upon himself by --accept; everything else RDS itself would refuse, or nobody could want.
ACCEPTABLE = ('storage', 'transactions', 'memory', 'connections', 'site', 'zones')

# Below this share of it RDS may stop the instance in the middle (storage-full), and raises an event of its own.
LEAST_FREE_STORAGE = 0.10
# Of the smaller class's connections, at most this many were in use at the busiest moment.
MOST_CONNECTIONS = 0.8


@dataclasses.dataclass
class Verdict:
    name: str
    kind: str
    text: str


@dataclasses.dataclass
class Facts:
    """None means that it could not be asked; why is in `unasked`, by the check's name."""
    instance: Instance
    target: str
    down: bool
    orderable: Optional[list] = None
    maintenance: Optional[list] = None
    # CloudWatch: bytes as of now, the most of the last 24 h.
    free_storage: Optional[float] = None
    most_connections: Optional[float] = None
    # The stack: {name, status, parameter, value, allowed, instance}.
    stack: Optional[dict] = None
    # [(connection, seconds, text)], those older than `longest`.
    transactions: Optional[list] = None
    longest: int = 60
    # The database's own numbers: {pool, data, max_connections}, bytes.
    engine: Optional[dict] = None
    # [site.Host], as they answered.
    hosts: Optional[list] = None
    unasked: dict = dataclasses.field(default_factory=dict)


def class_change(facts) -> List[Verdict]:
    checks = [status, multi_az, secondary_zone, klass, orderable, pending, maintenance, storage, stack, transactions, site]
    if facts.down:
        checks += [memory, connections]
    return [verdict for check in checks for verdict in check(facts)]


def failover(facts) -> List[Verdict]:
    checks = [status, multi_az, secondary_zone, pending, transactions, site]
    return [verdict for check in checks for verdict in check(facts)]


def blue_green(facts, version) -> List[Verdict]:
    checks = [status, backups, password, pending, transactions, site]
    return other_version(facts, version) + [verdict for check in checks for verdict in check(facts)]


def other_version(f, version):
    i = f.instance
    if i.version == version:
        return [Verdict('version', REFUSED, f'{i.identifier} is {i.engine} {version} already: choose another --version')]
    return [Verdict('version', OK, f'{i.engine} {i.version} to {version}')]


def backups(f):
    if f.instance.backup_days:
        return [Verdict('backups', OK, f'backups are kept for {f.instance.backup_days} days')]
    return [Verdict('backups', REFUSED, f'{f.instance.identifier} has no automated backups, and green is made from one: set BackupRetentionDays first')]


def password(f):
    if not f.instance.managed_password:
        return [Verdict('password', OK, "the master's password is its own")]
    return [Verdict('password', REFUSED, f"the master's password of {f.instance.identifier} is managed in Secrets Manager, which blue/green deployments do "
                                         'not support: aws rds modify-db-instance --no-manage-master-user-password --master-user-password … first')]


def status(f):
    at = f.instance.status
    if at == 'available':
        return [Verdict('status', OK, 'available')]
    return [Verdict('status', REFUSED, f'{f.instance.identifier} is "{at}", not "available": wait until RDS has finished with it (cfn/bin/status)')]


def multi_az(f):
    if f.instance.multi_az:
        return [Verdict('multi-az', OK, 'Multi-AZ')]
    return [Verdict('multi-az', REFUSED, f'{f.instance.identifier} is not Multi-AZ: a change would take it down for minutes instead of a failover. '
                                         'Make it Multi-AZ first (MultiAZ in cfn/templates/database.yaml)')]


def secondary_zone(f):
    if not f.instance.multi_az:
        return []
    if f.instance.secondary_zone:
        return [Verdict('secondary-az', OK, f'writer in {f.instance.zone}, standby in {f.instance.secondary_zone}')]
    return [Verdict('secondary-az', REFUSED, f'{f.instance.identifier} names no secondary availability zone: its standby is being made. '
                                             'Wait until RDS shows one (cfn/bin/status)')]


def klass(f):
    here, there = f.instance.klass, f.target
    if here == there:
        return [Verdict('class', REFUSED, f'{f.instance.identifier} is {here} already: choose another --class')]
    before, after = classes.memory(here), classes.memory(there)
    if before is None or after is None:
        return [Verdict('class', NOT_CHECKED, f'whether {there} is larger than {here}: the memory of one of them is not known to this script')]
    if (after < before) != f.down and after != before:
        other = 'downgrade' if after < before else 'upgrade'
        return [Verdict('class', REFUSED, f'{there} ({classes.gib(after)}) is {"smaller" if after < before else "larger"} than {here} '
                                          f'({classes.gib(before)}): that is for cfn/bin/{other}, which checks what matters then')]
    return [Verdict('class', OK, f'{here} ({classes.gib(before)}) to {there} ({classes.gib(after)})')]


def orderable(f):
    i = f.instance
    if f.orderable is None:
        return unasked(f, 'orderable', f'whether {f.target} can be had')
    if not f.orderable:
        return [Verdict('orderable', REFUSED, f'{f.target} cannot be had for {i.engine} {i.version} in this region: choose another --class '
                                              '(aws rds describe-orderable-db-instance-options), or upgrade the engine first')]
    same = [o for o in f.orderable if o.get('StorageType') == i.storage_type]
    if not same:
        kinds = ', '.join(sorted({o.get('StorageType', '?') for o in f.orderable}))
        return [Verdict('orderable', REFUSED, f'{f.target} takes no {i.storage_type} storage, which {i.identifier} has ({kinds} are taken): '
                                              'choose another --class')]
    found = []
    if not any(o.get('MultiAZCapable') for o in same):
        return [Verdict('multi-az-capable', REFUSED, f'{f.target} cannot be Multi-AZ with {i.engine} {i.version}: choose another --class')]
    most = [o['MaxStorageSize'] for o in same if o.get('MaxStorageSize')]
    least = [o['MinStorageSize'] for o in same if o.get('MinStorageSize')]
    if most and max(most) < i.allocated_gib or least and min(least) > i.allocated_gib:
        return [Verdict('class-storage', REFUSED, f'{f.target} takes {min(least or [0])} to {max(most or [0])} GiB of {i.storage_type}, and '
                                                  f'{i.identifier} has {i.allocated_gib} GiB, which cannot shrink: choose another --class')]
    zones = {z.get('Name') for o in same for z in o.get('AvailabilityZones') or []}
    missing = [z for z in (i.zone, i.secondary_zone) if z and zones and z not in zones]
    if missing:
        found.append(Verdict('zones', REFUSED, f'{f.target} is not offered in {" and ".join(missing)}, where {i.identifier} is: choose another '
                                               '--class, or --accept zones if you know better'))
    return found or [Verdict('orderable', OK, f'{f.target} can be had for {i.engine} {i.version}, Multi-AZ, on {i.storage_type}')]


def pending(f):
    waiting = f.instance.pending
    if not waiting:
        return [Verdict('pending', OK, 'no other modification is pending')]
    names = ', '.join(f'{key}={value}' for key, value in sorted(waiting.items()))
    return [Verdict('pending', REFUSED, f'{f.instance.identifier} has pending modifications ({names}), and applying this one at once would apply '
                                        'them too: apply them first, or set them back')]


def maintenance(f):
    if f.maintenance is None:
        return unasked(f, 'maintenance', 'pending maintenance')
    now = [a for a in f.maintenance if a.get('OptInStatus') == 'immediate']
    if now:
        return [Verdict('maintenance', REFUSED, f'{f.instance.identifier} is about to be maintained ({now[0].get("Action")}): wait until that is over')]
    later = [f'{a.get("Action")} {a.get("CurrentApplyDate", "")}'.strip() for a in f.maintenance]
    return [Verdict('maintenance', NOTE, 'maintenance is pending and stays so: ' + ', '.join(later))] if later else \
        [Verdict('maintenance', OK, 'no maintenance is pending')]


def storage(f):
    if f.free_storage is None:
        return unasked(f, 'storage', 'free storage')
    all_of_it = f.instance.allocated_gib * classes.GIB
    share = f.free_storage / all_of_it if all_of_it else 0
    text = f'{classes.gib(f.free_storage)} of {f.instance.allocated_gib} GiB are free'
    if share >= LEAST_FREE_STORAGE:
        return [Verdict('storage', OK, text)]
    return [Verdict('storage', REFUSED, f'{f.instance.identifier} is nearly full: {text}, less than {LEAST_FREE_STORAGE:.0%}; it might stop in the '
                                        'middle. Give it more (AllocatedStorage), or delete')]


def stack(f):
    s = f.stack
    if s is None:
        return unasked(f, 'stack', 'whether a stack has another class on record')
    if s.get('instance') and s['instance'] != f.instance.identifier:
        return [Verdict('stack', REFUSED, f'the stack {s["name"]} has the database {s["instance"]}, not {f.instance.identifier}: '
                                          'name the right --stack')]
    if not s['status'].endswith('_COMPLETE') or s['status'] in ('DELETE_COMPLETE', 'ROLLBACK_COMPLETE'):
        return [Verdict('stack', REFUSED, f'the stack {s["name"]} is {s["status"]}: it could not be told of the new class. Wait, or repair it '
                                          '(aws cloudformation describe-stack-events)')]
    if s['value'] is None:
        return [Verdict('stack', REFUSED, f'the stack {s["name"]} has no parameter {s["parameter"]}: name its root stack by --stack')]
    if s['value'] != f.instance.klass:
        return [Verdict('stack', REFUSED, f'the stack {s["name"]} says {s["parameter"]}={s["value"]}, but {f.instance.identifier} is '
                                          f'{f.instance.klass}: somebody changed it by hand. Update the stack to {f.instance.klass} first')]
    found = [Verdict('stack', OK, f'{s["name"]} says {s["parameter"]}={s["value"]}, as it is')]
    if s.get('allowed') is None:
        found.append(Verdict('stack-class', NOT_CHECKED, f'whether the stack allows {f.target}: {f.unasked.get("stack-class", "it lists no values")}'))
    elif s['allowed'] and f.target not in s['allowed']:
        return [Verdict('stack-class', REFUSED, f'the stack {s["name"]} does not allow {f.target} ({", ".join(s["allowed"])}): choose one of them, '
                                                f'or add it to {s["parameter"]} in its template first')]
    return found


def transactions(f):
    if f.transactions is None:
        return unasked(f, 'transactions', 'long transactions')
    if not f.transactions:
        return [Verdict('transactions', OK, f'no transaction is older than {f.longest} s')]
    connection, age, text = f.transactions[0]
    more = f' ({len(f.transactions)} in all)' if len(f.transactions) > 1 else ''
    return [Verdict('transactions', REFUSED, f'a transaction of connection {connection} at {f.instance.identifier} has been open for {age} s{more}; '
                                             f'it would be lost, and rolling it back makes the outage longer ({text or "idle"}): let it end, or '
                                             f'CALL mysql.rds_kill({connection})')]


def site(f):
    if f.hosts is None:
        return unasked(f, 'site', "whether the site's module watches the database")
    found = []
    for host in f.hosts:
        if host.error:
            found.append(Verdict('site', REFUSED, f'{host.url} does not answer as /rds-status does ({host.error}): check --status, or httpd there'))
        elif host.state not in ('available',) or host.stale:
            found.append(Verdict('site', REFUSED, f'the module at {host.url} says "{"stale" if host.stale else host.state}" of {host.name}, not '
                                                  '"available": see what it says there'))
        elif host.order == 'hold':
            found.append(Verdict('site', REFUSED, f'requests at {host.url} are held by order of {host.order_by}: release them first'))
        else:
            found.append(Verdict('site', OK, f'{host.url}: {host.name} is available, writer {host.writer}'))
    return found


def memory(f):
    """A working set that fits no more is read from storage over and over: the downgrade works, and the site is slow after it.

    What is in the buffer pool is at least what is in use; a pool that was never full tells exactly."""
    pool = classes.buffer_pool(f.target)
    if pool is None:
        return [Verdict('memory', NOT_CHECKED, f'the memory of {f.target} is not known to this script')]
    if f.engine is None:
        return unasked(f, 'memory', f'whether what {f.instance.identifier} keeps in memory fits into {f.target}')
    data = classes.gib(f.engine['data'])
    if f.engine['data'] <= pool:
        return [Verdict('memory', OK, f'{data} of data in memory fit into about {classes.gib(pool)}')]
    return [Verdict('memory', REFUSED, f'{f.instance.identifier} keeps {data} of data in memory, and the buffer pool of {f.target} will have about '
                                       f'{classes.gib(pool)}: choose a larger --class, or --accept memory')]


def connections(f):
    most = classes.max_connections(f.target)
    if most is None or f.most_connections is None:
        return unasked(f, 'connections', f'whether {f.target} allows as many connections as are used')
    if f.engine and f.engine['max_connections'] != classes.max_connections(f.instance.klass):
        # One of the parameter group's own, or of another formula: at most what the default would be is counted on.
        most = min(most, f.engine['max_connections'])
    used = int(f.most_connections)
    if used <= MOST_CONNECTIONS * most:
        return [Verdict('connections', OK, f'at most {used} connections in a day, about {most} are allowed by {f.target}')]
    return [Verdict('connections', REFUSED, f'{f.instance.identifier} had {used} connections at its busiest of the last day, and {f.target} allows '
                                            f'about {most}: visitors would get error 1040. Limit PHP\'s processes (pm.max_children), or choose a '
                                            'larger --class')]


def unasked(f, name, what):
    return [Verdict(name, NOT_CHECKED, f'{what}: {f.unasked.get(name, "nobody could be asked")}')]


def accept(verdicts, names):
    """Refusals that somebody has taken upon himself become notes."""
    for verdict in verdicts:
        if verdict.kind == REFUSED and verdict.name in names and verdict.name in ACCEPTABLE:
            verdict.kind, verdict.text = NOTE, 'accepted: ' + verdict.text
    return verdicts
