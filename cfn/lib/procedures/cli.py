# SPDX-License-Identifier: Apache-2.0
"""The command line of upgrade and downgrade, failover and blue-green: options, exit codes, and the way through a procedure."""
import argparse
import os
import shlex
import sys

from . import checks, journal, outcome, stack
from .aws import Aws, AwsError, configured_region
from .context import Context
from .outcome import Refused, Stop, Usage
from .say import Say
from .steps import Procedure, Stopper

EXITS = """\
Exit: 0 done; 1 failed in the middle; 2 bad usage; 3 refused by a check, nothing was changed; 4 done, but what was verified is
not as it should be; 5 not confirmed; 130, 143 interrupted. After 1, 130 and 143 the same command goes on where it stopped.

Environment: what the AWS CLI reads; RDS_AWS_ENDPOINT, another address of the AWS API; DATABASE_URL or RDS_HOSTNAME and the
others of docs/environment.md, to ask the database itself; RDS_CONTROL_USER and RDS_CONTROL_PASSWORD or
RDS_CONTROL_PASSWORD_FILE, who gives orders at --control. docs/upgrade.md is the runbook."""


def parser(name, text):
    p = argparse.ArgumentParser(prog=name, description=text, epilog=EXITS, allow_abbrev=False,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    which = p.add_argument_group('which database')
    which.add_argument('--instance', metavar='ID', help='identifier of the database instance; by default that of --stack')
    which.add_argument('--stack', metavar='NAME', help='the root stack (cfn/templates/root.yaml); it has the class as a parameter')
    which.add_argument('--region', metavar='R', help='by default that of the AWS CLI')
    return p


def site_options(p):
    site = p.add_argument_group('the site')
    site.add_argument('--status', metavar='URL', action='append', default=[], help='/rds-status of a web host; repeat it for each host')
    site.add_argument('--control', metavar='URL', action='append', default=[],
                      help='where that host takes orders (RDSFailoverControl on); repeat it likewise')
    site.add_argument('--database', metavar='NAME', help='which database of the status, if the endpoint does not tell')
    site.add_argument('--ttl', metavar='S', type=number(1, 3600), default=600,
                      help='how long an order holds, in seconds (600); it is renewed while the script runs')
    p.add_argument('--longest', metavar='S', type=number(1, 86400), default=60,
                   help='refuse while a transaction has been open for so long (60)')


def traffic_options(p):
    traffic = p.add_argument_group('traffic')
    traffic.add_argument('--traffic', metavar='URL', help='send requests there meanwhile, each on record')
    traffic.add_argument('--rate', metavar='N', type=number(0.01, 10000), default=10, help='requests a second (10)')
    traffic.add_argument('--mix', metavar='FILE', help='what to send: rds-drive --help (GET URL)')
    traffic.add_argument('--drive', metavar='FILE', default=os.path.join(root(), 'build', 'rds-drive'),
                         help='the program rds-drive (build/rds-drive)')


def common_options(p):
    p.add_argument('--accept', metavar='CHECK', action='append', default=[], choices=checks.ACCEPTABLE,
                   help='go ahead although this check refuses: ' + ', '.join(checks.ACCEPTABLE))
    p.add_argument('--patience', metavar='MIN', type=number(0.01, 1440), default=120, help='how long to wait for RDS, in minutes (120)')
    p.add_argument('--poll', metavar='S', type=number(0.05, 300), default=5, help='seconds between looks (5)')
    p.add_argument('--state', metavar='DIR', default=journal.default_state(), help='journals and records (~/.local/state/rdsfailover)')
    p.add_argument('--dry-run', action='store_true', help='check, and show what would be done')
    p.add_argument('--yes', action='store_true', help='do not ask')


def root():
    return os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..', '..'))


def number(least, most):
    def parse(text):
        try:
            value = float(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f'"{text}": a number from {least} to {most} is accepted')
        return int(value) if value == int(value) else value
    return parse


def region(options):
    """One name, however it was given: journal and lock of an instance lie below it."""
    return options.region or os.environ.get('AWS_REGION') or os.environ.get('AWS_DEFAULT_REGION') or configured_region()


def find_instance(aws, options):
    if options.instance:
        return
    if not options.stack:
        raise Usage('which database? Say --instance or --stack')
    options.instance = stack.describe(aws, options.stack)['instance']
    if not options.instance:
        raise Refused(f'the stack {options.stack} has no output DatabaseInstance: name its root stack, or say --instance')


def main(p, make, what, argv=None):
    """Parse, find the instance, and go through the procedure's steps. Returns the exit code.

    make(context) gives an object with steps(); what(options) what tells one procedure's journal from another's."""
    options = p.parse_args(argv)
    options.procedure = p.prog
    say = Say()
    stop = Stopper(say)
    # A person's own words, for what to type next.
    again = shlex.join([sys.argv[0], *(sys.argv[1:] if argv is None else argv)])
    try:
        stop.listen()
        options.region = region(options)
        aws = Aws(say, stop, options.region)
        say.step = 'begin'
        find_instance(aws, options)
        log = journal.Journal(journal.directory(options.state, options.region, options.instance),
                              {'procedure': p.prog, 'instance': options.instance, **what(options)})
        context = Context(options, aws, say, stop, log)
        procedure = make(context)
        run = Procedure(say, stop, log, procedure.steps(), again)
        return rehearse(context, procedure, run) if options.dry_run else go(context, run)
    except AwsError as error:
        print(f'{p.prog}: AWS says {error}', file=sys.stderr)
        return outcome.FAILED
    except Stop as end:
        if str(end):
            print(f'{p.prog}: {end}', file=sys.stderr)
        return end.code


def rehearse(context, procedure, run):
    """The checks for real, the rest only told; neither journal nor lock."""
    context.say.step = 'check'
    facts, verdicts = procedure.facts()
    context.judge(facts, verdicts)
    context.say.plain('\nThis would be done:\n')
    run.show()
    return outcome.DONE


def go(context, run):
    log = context.journal
    log.open()
    if log.resumed:
        context.say.line(f'{journal.describe(log.what)} was begun before; ' +
                         ('going on' if run.committed() else 'the database was not asked to change yet; from the start'))
    try:
        run.run()
    except AwsError as error:
        context.traffic.end(wait=False)
        raise outcome.Failed(f'in step "{context.say.step}" AWS says {error}. {run.where_it_stands()}') from None
    except Stop as end:
        # The next start of the script begins it anew.
        context.traffic.end(wait=False)
        if isinstance(end, (Refused, outcome.Declined, Usage)) and not run.committed():
            context.abandon()
        raise
    context.settle()
    return outcome.DONE
