# SPDX-License-Identifier: Apache-2.0
"""The report: what happened, drawn by the demo's own program (cfn/lib/page.pl) from the journal and the traffic's records."""
import json
import os
import shutil
import subprocess

from . import site

PROGRAM = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'page.pl')


def write(context):
    o, log = context.options, context.journal
    context.traffic.end(wait=True)
    facts = log.facts
    path = os.path.join(log.run_directory(), 'report.html')
    hosts = [site.look(url, o.database, facts.get('endpoint')) for url in o.status]
    run = {'procedure': o.procedure, 'instance': o.instance, 'before': facts['klass'], 'after': o.klass, 'began': log.began,
           'zone': facts['zone'], 'secondary_zone': facts['secondary_zone'], 'rate': o.rate, 'events': facts.get('events', []),
           'verdicts': facts.get('verdicts', []), 'records': [run['requests'] for run in context.traffic.runs()],
           'failovers': [site.new_failovers(facts['before'].get(h.url, {}).get('failovers', []), h) for h in hosts if not h.error]}
    with open(os.path.join(log.run_directory(), 'run.json'), 'w', encoding='utf-8') as out:
        json.dump(run, out, indent=2)
    if not shutil.which('perl'):
        context.say.loud('there is no perl here, so there is no page: all that is known is in ' + out.name)
        return
    done = subprocess.run(['perl', PROGRAM, out.name, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True, check=False)
    if done.returncode:
        context.say.loud(f'the page could not be written ({" ".join(done.stdout.split())[:300]}): all that is known is in {out.name}')
        return
    context.say.line(f'the page: {path}')
