# SPDX-License-Identifier: Apache-2.0
"""Every command line that the procedures give to the aws command, against botocore's own model: operations that exist, options by
their whole names (the command takes unique beginnings, until a new option makes them ambiguous), and none that is missing."""
import re
import types

import botocore.session
from botocore import xform_name

import tap
from world import LARGE, SITE, SMALL, Stage, World, bluegreen, change, failover, pairs, status

COMMON = {'--region', '--endpoint-url', '--output'}
session = botocore.session.get_session()
seen = {}


class Recording(World):
    def aws(self, line):
        seen.setdefault((line[1], line[2]), set()).update(name for name, _ in pairs(line[3:]))
        return super().aws(line)


def run(world, main, *words):
    with Stage() as stage:
        code, said = stage.run(world, main, *words)
    tap.eq(code, 0, ' '.join(words[:4])) or tap.note(said)


run(Recording(), lambda argv: change.main('upgrade', 'test', down=False, argv=argv), '--class', LARGE, '--stack', 'demo', *SITE)
run(Recording(LARGE), lambda argv: change.main('downgrade', 'test', down=True, argv=argv), '--class', SMALL, '--stack', 'demo', *SITE)
run(Recording(), lambda argv: failover.main('failover', 'test', argv), '--instance', 'shop', '--hold', *SITE)
run(Recording(), lambda argv: bluegreen.main('blue-green', 'test', argv), '--instance', 'shop', '--version', '8.4.7', '--parameter-group', 'p', '--switch', *SITE)
with Stage() as stage:
    world = Recording()
    stage.run(world, lambda argv: status.main('status', 'test', argv), '--stack', 'demo', '--state', stage.state, options=False)

# CloudFormation's names of instances are long, the names of deployments must not be.
pattern = re.compile('[a-zA-Z](?:-?[a-zA-Z0-9]+)*')
taken = set()
for instance in ('shop', 'x' * 53, 'production-site-database-1abcdef2ghijk-database-a1b2c3d4e5f6', 'production-site-database-1abcdef2ghijk-database-a1b2c3d4e5f7', 'a-' * 31 + 'a'):
    name = bluegreen.BlueGreen(types.SimpleNamespace(options=types.SimpleNamespace(instance=instance, version='8.4.7'))).name()
    tap.ok(len(name) <= 60 and pattern.fullmatch(name) and name.endswith('-8-4-7'), f'a deployment of {instance} can be named')
    taken.add(name)
tap.eq(len(taken), 5, 'each by its own name')

for (service, operation), options in sorted(seen.items()):
    model = session.get_service_model(service)
    names = {xform_name(name, '-'): name for name in model.operation_names}
    if not tap.ok(operation in names, f'{service} {operation} exists'):
        continue
    shape = model.operation_model(names[operation]).input_shape
    members = {'--' + xform_name(name, '-'): name for name in (shape.members if shape else {})}
    tap.eq(sorted(options - COMMON - set(members)), [], f'{service} {operation}: each option exists, by its whole name')
    given = {members[option] for option in options if option in members}
    tap.eq(sorted(set(shape.required_members if shape else []) - given), [], f'{service} {operation}: none is missing')
tap.done()
