# SPDX-License-Identifier: Apache-2.0
"""What an instance class's name says: its memory. Pure.

RDS has no call that tells it. A family has a fixed share of memory for each vCPU, and the size tells the vCPUs: the table of
"Hardware specifications for DB instance classes" in the RDS user guide, as a rule."""
import re

GIB = 1 << 30
# db.t: burstable classes follow no rule below large.
BURSTABLE = {'micro': 1, 'small': 2, 'medium': 4, 'large': 8, 'xlarge': 16, '2xlarge': 32}
# GiB of the size large (2 vCPUs).
LARGE = {'m': 8, 'r': 16, 'c': 4, 'x': 32}
# What MySQL's default for max_connections divides by: {DBInstanceClassMemory/12582880}.
BYTES_A_CONNECTION = 12582880
# DBInstanceClassMemory is what RDS leaves of it; how much less is not published for each class.
LEFT_BY_RDS = 0.9
# innodb_dedicated_server, on in RDS for MySQL 8.4, takes 50 to 75 % of memory; before that {DBInstanceClassMemory*3/4}.
BUFFER_POOL_SHARE = 0.75


def memory(name):
    """Bytes, or None for a name that follows no known rule."""
    match = re.fullmatch(r'db\.([a-z])(\d+)([a-z]*)\.(\w+)', name)
    if not match:
        return None
    family, generation, kind, size = match.groups()
    if family == 't':
        return BURSTABLE[size] * GIB if size in BURSTABLE else None
    times = {'medium': 0.5, 'large': 1, 'xlarge': 2}.get(size)
    if times is None:
        number = re.fullmatch(r'(\d+)xlarge', size)
        times = 2 * int(number.group(1)) if number else None
    large = 31 if family == 'x' and generation == '1' else LARGE.get(family)
    # x1, x1e, x2ie and the like have shares of their own.
    if times is None or large is None or (family == 'x' and kind != 'g'):
        return None
    return int(large * times * GIB)


def buffer_pool(name):
    size = memory(name)
    return size and int(size * LEFT_BY_RDS * BUFFER_POOL_SHARE)


def max_connections(name):
    """RDS's default. A value of one's own in the parameter group does not follow the class."""
    size = memory(name)
    return size and int(size * LEFT_BY_RDS / BYTES_A_CONNECTION)


def gib(size):
    return f'{size / GIB:.1f} GiB'
