# SPDX-License-Identifier: Apache-2.0
"""A snapshot no older than asked for: a recent one, or a new one, waited for."""
import datetime
import time

from . import instance
from .aws import AwsError
from .outcome import Failed


def name(options, journal):
    """The same for each run of one procedure, so that a killed script finds its own again."""
    return f'{options.instance}-before-{options.procedure}-{time.strftime("%Y%m%d-%H%M%S", time.gmtime(journal.began))}'


def create_words(options, journal):
    return ['--db-instance-identifier', options.instance, '--db-snapshot-identifier', name(options, journal)]


def plan(context):
    return [f'unless one of the last {context.options.snapshot_age:g} h is there:',
            context.aws.show('rds', 'create-db-snapshot', *create_words(context.options, context.journal))]


def ensure(context):
    o, say = context.options, context.say
    own = name(o, context.journal)
    began, text = context.stop.now(), f'snapshot {own}'
    resource = instance.describe(context.aws, o.instance).resource
    while True:
        there = context.aws.read('rds', 'describe-db-snapshots', '--db-instance-identifier', o.instance).get('DBSnapshots') or []
        # One of an instance that had this name before, as after a restore or a blue/green deployment, is no way back.
        there = [s for s in there if not resource or s.get('DbiResourceId', resource) == resource]
        mine = [s for s in there if s['DBSnapshotIdentifier'] == own]
        recent = [s for s in there if s.get('Status') == 'available' and (s in mine or age(s) <= o.snapshot_age * 3600)]
        if mine and mine[0].get('Status') == 'failed':
            raise Failed(f'the snapshot {own} failed: see its events, delete it, and run this script again')
        if recent:
            say.line(f'snapshot {recent[0]["DBSnapshotIdentifier"]} of {recent[0].get("SnapshotCreateTime", "")[:16]}Z')
            return
        if mine:
            text = f'snapshot {own}: {mine[0].get("Status")}, {mine[0].get("PercentProgress", 0)} %'
        else:
            say.line(f'no snapshot is younger than {o.snapshot_age:g} h; making {own}')
            create(context)
        context.linger(began, text)


def rest(context):
    """After a kill in the middle of a snapshot of this procedure's own: that makes the instance busy for a while."""
    began = context.stop.now()
    while context.journal.facts.get('snapshot'):
        i = instance.describe(context.aws, context.options.instance)
        if i.status != 'backing-up':
            return
        context.linger(began, f'{i.identifier} is {i.status}: the snapshot that was begun before')


def create(context):
    context.journal.keep(snapshot=name(context.options, context.journal))
    try:
        context.aws.change('rds', 'create-db-snapshot', *create_words(context.options, context.journal))
    except AwsError as error:
        # Made by a call whose answer was lost; or the instance is busy, and will not be for long.
        if error.code not in ('DBSnapshotAlreadyExists', 'DBSnapshotAlreadyExistsFault', *instance.INVALID_STATE):
            raise


def age(snapshot):
    """Seconds, by this machine's clock; one from the future is new. RDS's times are UTC, with as many decimals as the CLI likes."""
    made = snapshot.get('SnapshotCreateTime')
    if not made:
        return float('inf')
    return (datetime.datetime.utcnow() - datetime.datetime.strptime(made[:19], '%Y-%m-%dT%H:%M:%S')).total_seconds()
