# SPDX-License-Identifier: Apache-2.0
"""HTTP: a signed form in, an XML answer out. /control is the stand-in's own: GET its world, POST a merge patch of it."""
import json
import sys
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from . import bluegreen, cloudformation, model, others, rds, signature, trouble
from .world import REGION

OPERATIONS = {'rds': {**rds.OPERATIONS, **bluegreen.OPERATIONS}, 'cloudformation': cloudformation.OPERATIONS,
              'sts': others.STS, 'cloudwatch': others.CLOUDWATCH}
REMEMBERED = 2000    # requests


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    world = None

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def do_GET(self):
        if self.path != '/control':
            return self.say(404, b'only POST is stood in for\n', 'text/plain')
        return self.say(200, self.world.as_json(), 'application/json')

    def do_POST(self):
        body = self.body()
        if self.path == '/control':
            self.world.merge(json.loads(body))
            return self.say(200, b'{}', 'application/json')
        request_id = str(uuid.uuid4())
        try:
            status, text, spoiled = self.answer(body, request_id)
        except Exception:    # a mistake of ours must not look like one of the caller's
            traceback.print_exc(file=sys.stderr)
            return self.say(500, b'the stand-in failed; it has said why on its standard error\n', 'text/plain')
        told = trouble.spoil(spoiled, status, text)
        if told is None:
            self.close_connection = True
            return None
        status, text, length = told
        return self.say(status, text, 'text/html' if spoiled == 'html' else 'text/xml', length, request_id)

    def say(self, status, text, kind, length=None, request_id=None):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(text) if length is None else length))
        if request_id:
            self.send_header('x-amzn-RequestId', request_id)
        self.end_headers()
        self.wfile.write(text)
        if length is not None and length != len(text):
            self.close_connection = True

    def answer(self, body, request_id):
        """(status, text, the trouble that is yet to come over it)."""
        world, service, op, spoiled, asked, name = self.world, None, None, None, {}, None
        try:
            _, signed_as = signature.scope(self.headers)
            service = model.service(signed_as)
            if service is None:
                raise model.Fault('NotStoodInFor', f'there is no {signed_as} here')
            if self.headers.get_content_type() != 'application/x-www-form-urlencoded':
                raise model.Fault('NotStoodInFor', f'{service.service_name} is asked by forms here (the query protocol)')
            signature.verify('POST', self.path, self.headers, body, REGION, world.now())
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            name = form.get('Action')
            with world.lock:
                spoiled = trouble.due(world, name)
                trouble.refuse(spoiled)
                op = model.operation(service, form)
                asked = model.parameters(op, form)
                handler = OPERATIONS[service.service_name].get(op.name)
                if handler is None:
                    raise model.Fault('NotStoodInFor', f'the stand-in does not know {op.name}')
                data = {} if spoiled == 'reset' else handler(world, asked)
                text = b'' if spoiled == 'reset' else model.answer(service, op, data, request_id)
                said = 200, text, spoiled
        except model.Fault as fault:
            said = *model.refusal(service, op, fault, request_id), None
            self.remember(name, asked, fault.code)
            return said
        self.remember(name, asked, spoiled or 'ok')
        return said

    def remember(self, name, asked, answered):
        with self.world.lock:
            log = self.world.data['requests']
            log.append({'at': self.world.stamp(), 'operation': name, 'answered': answered, 'parameters': json.loads(json.dumps(asked, default=str))})
            del log[:-REMEMBERED]


def listen(world, port):
    """A server that is bound and not serving yet; serve_forever() does."""
    handler = type('Handler', (Handler,), {'world': world})
    server = ThreadingHTTPServer(('127.0.0.1', port), handler)
    server.daemon_threads = True
    return server
