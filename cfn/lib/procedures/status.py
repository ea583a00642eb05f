# SPDX-License-Identifier: Apache-2.0
"""status: the database as RDS has it, as the stack has it, as each host's module sees it; and what was begun. Changes nothing."""
import os
import sys

from . import checks, cli, gather, instance, journal, outcome, site, stack
from .aws import AwsError
from .outcome import Stop
from .say import Say


def show(say, aws, options, region):
    """Print everything; whether all of it is as it should be."""
    i = instance.describe(aws, options.instance)
    facts = checks.Facts(instance=i, target='', down=False)
    say.plain(gather.headline(facts))
    say.plain(f'  endpoint   {i.endpoint}:{i.port}')
    say.plain(f'  pending    {", ".join(f"{k}={v}" for k, v in i.pending.items()) or "nothing"}')
    good = [i.status == 'available', not i.pending, i.multi_az]
    good.append(show_stack(say, aws, options, i))
    say.plain('  events')
    for event in instance.events(aws, options.instance)[-options.events:]:
        say.plain(f'    {event.date[:19]}Z  {event.text}')
    for url in options.status:
        good.append(show_host(say, site.look(url, options.database, i.endpoint)))
    show_journal(say, journal.directory(options.state, region, options.instance))
    return all(good)


def show_stack(say, aws, options, i):
    if not options.stack:
        return True
    known = stack.describe(aws, options.stack)
    agrees = known['value'] == i.klass
    drift = '' if agrees else f', but it is {i.klass}: drift'
    say.plain(f'  stack      {known["name"]}: {known["status"]}, {known["parameter"]}={known["value"]}{drift}')
    return agrees and known['status'].endswith('_COMPLETE')


def show_host(say, host):
    if host.error:
        say.plain(f'  {host.url}: no answer ({host.error})')
        return False
    say.plain(f'  {host.url}: {host.name} {"stale" if host.stale else host.state}, writer {host.writer or "?"}, {host.waiting} requests wait'
              + (f', {host.order} by order of {host.order_by}' if host.order else ''))
    return host.state == 'available' and not host.stale


def show_journal(say, where):
    known = journal.read(os.path.join(where, 'journal.json'))
    if not known:
        say.plain('  scripts    none is under way from here')
        return
    done = [name for name, state in known['steps'].items() if state == 'done']
    begun = [name for name, state in known['steps'].items() if state != 'done']
    say.plain(f'  scripts    {journal.describe(known["what"])}: done {", ".join(done) or "nothing"}; in {", ".join(begun) or "no step"}')


def main(name, text, argv=None):
    p = cli.parser(name, text + ' Changes nothing, so --dry-run and --yes make no difference.')
    p.add_argument('--events', metavar='N', type=cli.number(0, 100), default=8, help='how many of the last events (8)')
    p.add_argument('--watch', metavar='S', type=cli.number(1, 3600), help='show it again every S seconds, until Ctrl-C')
    p.add_argument('--status', metavar='URL', action='append', default=[], help='/rds-status of a web host; repeat it for each host')
    p.add_argument('--database', metavar='NAME', help='which database of the status, if the endpoint does not tell')
    p.add_argument('--state', metavar='DIR', default=journal.default_state(), help='where the journals are (~/.local/state/rdsfailover)')
    p.add_argument('--dry-run', action='store_true', help=cli.argparse.SUPPRESS)
    p.add_argument('--yes', action='store_true', help=cli.argparse.SUPPRESS)
    options = p.parse_args(argv)
    say = Say()
    stop = cli.Stopper(say)
    try:
        stop.listen()
        region = cli.region(options)
        aws = cli.Aws(say, stop, region)
        cli.find_instance(aws, options)
        while True:
            good = show(say, aws, options, region)
            if not options.watch:
                return outcome.DONE if good else outcome.NOT_AS_HOPED
            stop.wait(options.watch)
            say.plain()
    except AwsError as error:
        print(f'{name}: AWS says {error}', file=sys.stderr)
        return outcome.FAILED
    except Stop as end:
        if str(end):
            print(f'{name}: {end}', file=sys.stderr)
        return end.code
