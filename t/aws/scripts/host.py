#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web host for tests of cfn/bin: host.py STAND-IN-URL ORDERS. Prints its URL.

/rds-status answers by what the stand-in for RDS has told in its events; /rds-control takes orders as the module does
(t/150-control.t), from alice, and appends them to the file ORDERS; anything else answers OK."""
import base64
import json
import os
import sys
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API, ORDERS = sys.argv[1:]
ALICE = 'Basic ' + base64.b64encode(b'alice:wonder').decode()


def status():
    with urllib.request.urlopen(API + '/control', timeout=30) as answer:
        events = json.load(answer)['events']
    down = [e['Date'] for e in events if e['Message'] == 'DB instance shutdown']
    up = [e['Date'] for e in events if e['Message'] == 'DB instance restarted']
    failovers = [{'started': d, 'cause': 'shutdown', 'detected_ms': 5, 'outage_ms': 900, 'released_ms': 950, 'from': '10.0.1.4', 'to': '10.0.2.9'}
                 for d, _ in zip(down, up)]
    counters = {'now': 0, 'held': 7 * len(up), 'released': 7 * len(up), 'expired': 0, 'rejected': 0, 'lost': 0, 'troubled': 0, 'redirected': 0}
    return {'databases': [{'name': 'shop', 'endpoint': 'shop.rds.test', 'state': 'outage' if len(down) > len(up) else 'available', 'hold': counters,
                           'replay': {'succeeded': 0, 'failed': 0, 'refused': 0}, 'writer': {'address': '10.0.1.4', 'read_only': False},
                           'failovers': failovers[::-1]}]}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, code, text):
        self.send_response(code)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        if self.path == '/rds-status?json':
            self.answer(200, json.dumps(status()))
        else:
            self.answer(200, 'OK')

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        if self.headers.get('Authorization') != ALICE:
            self.answer(401, 'who?')
        elif self.headers.get('X-RDSFailover-Control') != '1' or self.headers.get('Content-Type') != 'application/x-www-form-urlencoded':
            self.answer(403, 'it must be meant')
        else:
            form = dict(urllib.parse.parse_qsl(body))
            with open(ORDERS, 'a', encoding='utf-8') as out:
                out.write(' '.join(f'{key}={form[key]}' for key in sorted(form)) + '\n')
            self.answer(200, 'done')


server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(f'http://127.0.0.1:{server.server_port}', flush=True)
# Ends with the test.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
