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

    @property
    def id(self):
        return self.instance.identifier


# Each check is a function of the facts that gives a list of verdicts.

def fine(name, text):
    return [Verdict(name, OK, text)]


def refuse(name, text):
    return [Verdict(name, REFUSED, text)]


def unasked(f, name, what):
    return [Verdict(name, NOT_CHECKED, f'{what}: {f.unasked.get(name, "nobody could be asked")}')]


def all_of(checks, f):
    return [verdict for check in checks for verdict in check(f)]


def class_change(f) -> List[Verdict]:
    found = all_of([status, multi_az, secondary_zone, klass, orderable, pending, parameters, maintenance, storage, stack, transactions, site], f)
    return found + all_of([memory, connections], f) if f.down else found


def failover(f) -> List[Verdict]:
    return all_of([status, multi_az, secondary_zone, pending, parameters, transactions, site], f)


def blue_green(f, version) -> List[Verdict]:
    return other_version(f, version) + all_of([status, backups, password, pending, transactions, site], f)


def accept(verdicts, names):
    """Refusals that somebody has taken upon himself become notes."""
    for verdict in verdicts:
        if verdict.kind == REFUSED and verdict.name in names and verdict.name in ACCEPTABLE:
            verdict.kind, verdict.text = NOTE, 'accepted: ' + verdict.text
    return verdicts


# ---- the instance ------------------------------------------------------------------------------------------------------------

def status(f):
    at = f.instance.status
    if at == 'available':
        return fine('status', 'available')
    return refuse('status', f'{f.id} is "{at}", not "available": wait until RDS has finished with it (cfn/bin/status)')


def multi_az(f):
    if f.instance.multi_az:
        return fine('multi-az', 'Multi-AZ')
    return refuse('multi-az', f'{f.id} is not Multi-AZ: a change would take it down for minutes instead of a failover. Make it Multi-AZ first '
                              '(MultiAZ in cfn/templates/database.yaml)')


def secondary_zone(f):
    i = f.instance
    if not i.multi_az:
        return []
    if i.secondary_zone:
        return fine('secondary-az', f'writer in {i.zone}, standby in {i.secondary_zone}')
    return refuse('secondary-az', f'{f.id} names no secondary availability zone: its standby is being made. Wait until RDS shows one '
                                  '(cfn/bin/status)')


def pending(f):
    if not f.instance.pending:
        return fine('pending', 'no other modification is pending')
    names = ', '.join(f'{key}={value}' for key, value in sorted(f.instance.pending.items()))
    return refuse('pending', f'{f.id} has pending modifications ({names}), and applying this one at once would apply them too: apply them first, '
                             'or set them back')


def parameters(f):
    waiting = ', '.join(name for name, state in sorted(f.instance.parameter_groups.items()) if state == 'pending-reboot')
    if not waiting:
        return []
    return [Verdict('parameters', NOTE, f'the parameter group {waiting} has values that wait for a restart of {f.id}, and this may be it')]


def maintenance(f):
    if f.maintenance is None:
        return unasked(f, 'maintenance', 'pending maintenance')
    now = [a for a in f.maintenance if a.get('OptInStatus') == 'immediate']
    if now:
        return refuse('maintenance', f'{f.id} is about to be maintained ({now[0].get("Action")}): wait until that is over')
    if not f.maintenance:
        return fine('maintenance', 'no maintenance is pending')
    later = ', '.join(f'{a.get("Action")} {a.get("CurrentApplyDate", "")}'.strip() for a in f.maintenance)
    return [Verdict('maintenance', NOTE, f'maintenance is pending and stays so: {later}')]


def storage(f):
    if f.free_storage is None:
        return unasked(f, 'storage', 'free storage')
    size = f.instance.allocated_gib
    text = f'{classes.gib(f.free_storage)} of {size} GiB are free'
    if f.free_storage >= LEAST_FREE_STORAGE * size * classes.GIB:
        return fine('storage', text)
    return refuse('storage', f'{f.id} is nearly full: {text}, less than {LEAST_FREE_STORAGE:.0%}; it might stop in the middle. Give it more '
                             '(AllocatedStorage), or delete')


# ---- the class ---------------------------------------------------------------------------------------------------------------

def klass(f):
    here, there = f.instance.klass, f.target
    if here == there:
        return refuse('class', f'{f.id} is {here} already: choose another --class')
    before, after = classes.memory(here), classes.memory(there)
    if before is None or after is None:
        return [Verdict('class', NOT_CHECKED, f'whether {there} is larger than {here}: the memory of one of them is not known to this script')]
    if after != before and (after < before) != f.down:
        word, script = ('smaller', 'downgrade') if after < before else ('larger', 'upgrade')
        return refuse('class', f'{there} ({classes.gib(after)}) is {word} than {here} ({classes.gib(before)}): that is for cfn/bin/{script}, which '
                               'checks what matters then')
    return fine('class', f'{here} ({classes.gib(before)}) to {there} ({classes.gib(after)})')


def orderable(f):
    i = f.instance
    if f.orderable is None:
        return unasked(f, 'orderable', f'whether {f.target} can be had')
    what = f'{i.engine} {i.version}'
    if not f.orderable:
        return refuse('orderable', f'{f.target} cannot be had for {what} in this region: choose another --class (aws rds '
                                   'describe-orderable-db-instance-options), or upgrade the engine first')
    same = [o for o in f.orderable if o.get('StorageType') == i.storage_type]
    if not same:
        kinds = ', '.join(sorted({o.get('StorageType', '?') for o in f.orderable}))
        return refuse('orderable', f'{f.target} takes no {i.storage_type} storage, which {f.id} has ({kinds} are taken): choose another --class')
    if not any(o.get('MultiAZCapable') for o in same):
        return refuse('multi-az-capable', f'{f.target} cannot be Multi-AZ with {what}: choose another --class')
    return class_storage(f, same) or zones(f, same) or fine('orderable', f'{f.target} can be had for {what}, Multi-AZ, on {i.storage_type}')


def class_storage(f, offers):
    least = min((o['MinStorageSize'] for o in offers if o.get('MinStorageSize')), default=0)
    most = max((o['MaxStorageSize'] for o in offers if o.get('MaxStorageSize')), default=float('inf'))
    if least <= f.instance.allocated_gib <= most:
        return []
    return refuse('class-storage', f'{f.target} takes {least} to {most} GiB of {f.instance.storage_type}, and {f.id} has '
                                   f'{f.instance.allocated_gib} GiB, which cannot shrink: choose another --class')


def zones(f, offers):
    offered = {z.get('Name') for o in offers for z in o.get('AvailabilityZones') or []}
    missing = [z for z in (f.instance.zone, f.instance.secondary_zone) if z and offered and z not in offered]
    if not missing:
        return []
    return refuse('zones', f'{f.target} is not offered in {" and ".join(missing)}, where {f.id} is: choose another --class, or --accept zones if '
                           'you know better')


def memory(f):
    """A working set that fits no more is read from storage over and over: the downgrade works, and the site is slow after it.

    What is in the buffer pool is at least what is in use; a pool that was never full tells exactly."""
    pool = classes.buffer_pool(f.target)
    if pool is None:
        return [Verdict('memory', NOT_CHECKED, f'the memory of {f.target} is not known to this script')]
    if f.engine is None:
        return unasked(f, 'memory', f'whether what {f.id} keeps in memory fits into {f.target}')
    data = classes.gib(f.engine['data'])
    if f.engine['data'] <= pool:
        return fine('memory', f'{data} of data in memory fit into about {classes.gib(pool)}')
    return refuse('memory', f'{f.id} keeps {data} of data in memory, and the buffer pool of {f.target} will have about {classes.gib(pool)}: choose '
                            'a larger --class, or --accept memory')


def connections(f):
    most = classes.max_connections(f.target)
    if most is None or f.most_connections is None:
        return unasked(f, 'connections', f'whether {f.target} allows as many connections as are used')
    if f.engine:
        # A value of the parameter group's own does not grow with the class, and may be lower than the default.
        most = min(most, f.engine['max_connections'])
    used = int(f.most_connections)
    if used <= MOST_CONNECTIONS * most:
        return fine('connections', f'at most {used} connections in a day, about {most} are allowed by {f.target}')
    return refuse('connections', f'{f.id} had {used} connections at its busiest of the last day, and {f.target} allows about {most}: visitors '
                                 'would get error 1040. Limit PHP\'s processes (pm.max_children), or choose a larger --class')


# ---- the version -------------------------------------------------------------------------------------------------------------

def other_version(f, version):
    i = f.instance
    if i.version == version:
        return refuse('version', f'{f.id} is {i.engine} {version} already: choose another --version')
    return fine('version', f'{i.engine} {i.version} to {version}')


def backups(f):
    if f.instance.backup_days:
        return fine('backups', f'backups are kept for {f.instance.backup_days} days')
    return refuse('backups', f'{f.id} has no automated backups, and green is made from one: set BackupRetentionDays first')


def password(f):
    if not f.instance.managed_password:
        return fine('password', "the master's password is its own")
    return refuse('password', f"the master's password of {f.id} is managed in Secrets Manager, which blue/green deployments do not support: "
                              'aws rds modify-db-instance --no-manage-master-user-password --master-user-password … first')


# ---- those around it ---------------------------------------------------------------------------------------------------------

def stack(f):
    s = f.stack
    if s is None:
        return unasked(f, 'stack', 'whether a stack has another class on record')
    if s.get('instance') and s['instance'] != f.id:
        return refuse('stack', f'the stack {s["name"]} has the database {s["instance"]}, not {f.id}: name the right --stack')
    if not s['status'].endswith('_COMPLETE') or s['status'] in ('DELETE_COMPLETE', 'ROLLBACK_COMPLETE'):
        return refuse('stack', f'the stack {s["name"]} is {s["status"]}: it could not be told of the new class. Wait, or repair it '
                               '(aws cloudformation describe-stack-events)')
    if s['value'] is None:
        return refuse('stack', f'the stack {s["name"]} has no parameter {s["parameter"]}: name its root stack by --stack')
    if s['value'] != f.instance.klass:
        return refuse('stack', f'the stack {s["name"]} says {s["parameter"]}={s["value"]}, but {f.id} is {f.instance.klass}: somebody changed it '
                               f'by hand. Update the stack to {f.instance.klass} first')
    return fine('stack', f'{s["name"]} says {s["parameter"]}={s["value"]}, as it is') + stack_class(f)


def stack_class(f):
    allowed = f.stack.get('allowed')
    if allowed is None:
        return unasked(f, 'stack-class', f'whether the stack allows {f.target}')
    if not allowed or f.target in allowed:
        return []
    return refuse('stack-class', f'the stack {f.stack["name"]} does not allow {f.target} ({", ".join(allowed)}): choose one of them, or add it to '
                                 f'{f.stack["parameter"]} in its template first')


def transactions(f):
    if f.transactions is None:
        return unasked(f, 'transactions', 'long transactions')
    if not f.transactions:
        return fine('transactions', f'no transaction is older than {f.longest} s')
    connection, age, text = f.transactions[0]
    more = f' ({len(f.transactions)} in all)' if len(f.transactions) > 1 else ''
    return refuse('transactions', f'a transaction of connection {connection} at {f.id} has been open for {age} s{more}; it would be lost, and '
                                  f'rolling it back makes the outage longer ({text or "idle"}): let it end, or CALL mysql.rds_kill({connection})')


def site(f):
    if f.hosts is None:
        return unasked(f, 'site', "whether the site's module watches the database")
    return [verdict for host in f.hosts for verdict in one_host(host)]


def one_host(host):
    if host.error:
        return refuse('site', f'{host.url} does not answer as /rds-status does ({host.error}): check --status, or httpd there')
    state = 'stale' if host.stale else host.state
    if state != 'available':
        return refuse('site', f'the module at {host.url} says "{state}" of {host.name}, not "available": see what it says there')
    if host.order == 'hold':
        return refuse('site', f'requests at {host.url} are held by order of {host.order_by}: release them first')
    return fine('site', f'{host.url}: {host.name} is available, writer {host.writer}')
