# SPDX-License-Identifier: Apache-2.0
"""The report: what happened, drawn by the demo's own program (cfn/lib/page.pl) from the journal and the traffic's records.

run.json, which that program reads: {procedure, instance, title, lead, before, after, began, rate, events: [[date, text]],
verdicts: [[check, kind, text]], records: [files of rds-drive], failovers: [of each host, new ones first]}."""
import json
import os
import shutil
import subprocess

from . import checks, site

PROGRAM = os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'page.pl'))


def write(context, title, lead, before, after):
    """before, after: what the database is called on either side of the failover."""
    o, log = context.options, context.journal
    context.traffic.end(wait=True)
    traffic_verdict(context)
    facts = log.facts
    path = os.path.join(log.run_directory(), 'report.html')
    hosts = [site.look(url, o.database, facts.get('endpoint')) for url in o.status]
    run = {'procedure': o.procedure, 'instance': o.instance, 'title': title, 'lead': lead, 'before': before, 'after': after, 'began': log.began,
           'rate': o.rate, 'events': facts.get('events', []), 'verdicts': facts.get('verdicts', []),
           'records': [run['requests'] for run in context.traffic.runs()],
           'failovers': [site.new_failovers(facts['before'].get(h.url, {}).get('failovers', []), h) for h in hosts if not h.error]}
    with open(os.path.join(log.run_directory(), 'run.json'), 'w', encoding='utf-8') as out:
        json.dump(run, out, indent=2)
    if not shutil.which('perl'):
        context.say.loud('there is no perl here, so there is no page: all that is known is in ' + out.name)
        return
    done = subprocess.run(['perl', PROGRAM, out.name, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, start_new_session=True, check=False)
    if done.returncode:
        context.say.loud(f'the page could not be written ({" ".join(done.stdout.split())[:300]}): all that is known is in {out.name}')
        return
    context.say.line(f'the page: {path}')


def traffic_verdict(context):
    """What the traffic itself saw, beside the site's own record."""
    if not context.traffic.runs():
        return
    total, failed = context.traffic.count()
    kind = checks.REFUSED if failed or not total else checks.OK
    verdict = checks.Verdict('traffic', kind, f'of {total} requests of the traffic {failed or "none"} failed')
    context.tell([verdict])
    others = [v for v in context.journal.facts['verdicts'] if v[0] != 'traffic']
    context.journal.keep(verdicts=others + [[verdict.name, verdict.kind, verdict.text]])
