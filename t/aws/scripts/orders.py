# SPDX-License-Identifier: Apache-2.0
"""Orders over real HTTP: what a host carries out, and that one which is sent elsewhere counts as not given."""
import http.server
import threading

import tap
from world import site

asked = []


class Host(http.server.BaseHTTPRequestHandler):
    """As behind a load balancer that redirects: /http to /rds-control of the same host."""

    def log_message(self, *_):
        pass

    def answer(self, code, **headers):
        asked.append((self.command, self.path))
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.send_response(code)
        for name, value in {**headers, 'Content-Length': '0'}.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()

    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        if self.path == '/rds-control':
            self.answer(200)
        else:
            self.answer(301, Location='/rds-control')


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Host)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f'http://127.0.0.1:{server.server_port}'
tap.eq(site.order(base + '/rds-control', 'shop', 'arm', 600), None, 'an order that is taken')
tap.eq(asked, [('POST', '/rds-control')], 'arrives as one')
asked.clear()
tap.eq(site.order(base + '/http', 'shop', 'arm', 600), '301 Moved Permanently to /rds-control', 'an order that is redirected was not given, and where to is told')
tap.eq(asked, [('POST', '/http')], 'and it is not followed by a question')
server.shutdown()
tap.done()
