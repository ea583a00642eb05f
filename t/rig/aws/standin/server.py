# SPDX-License-Identifier: Apache-2.0
"""HTTP: a signed request in, an answer out. /control is the stand-in's own: GET its world, POST a merge patch of it."""
import json
import sys
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import bluegreen, cloudformation, jsonrpc, model, others, query, rds, signature, trouble
from .world import REGION

OPERATIONS = {'rds': {**rds.OPERATIONS, **bluegreen.OPERATIONS}, 'cloudformation': cloudformation.OPERATIONS,
              'sts': others.STS, 'cloudwatch': others.CLOUDWATCH}
# How a request is written, by its content type.
PROTOCOLS = {'application/x-www-form-urlencoded': query, jsonrpc.CONTENT_TYPE: jsonrpc}
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
        protocol = PROTOCOLS.get(self.headers.get_content_type(), query)
        try:
            status, text, spoiled = self.answer(protocol, body, request_id)
        except Exception:    # a mistake of ours must not look like one of the caller's
            traceback.print_exc(file=sys.stderr)
            return self.say(500, b'the stand-in failed; it has said why on its standard error\n', 'text/plain')
        told = trouble.spoil(spoiled, status, text)
        if told is None:
            self.close_connection = True
            return None
        status, text, length = told
        return self.say(status, text, 'text/html' if spoiled == 'html' else protocol.CONTENT_TYPE, length, request_id)

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

    def answer(self, protocol, body, request_id):
        """(status, text, the trouble that is yet to come over it)."""
        world, service, op, asked, name = self.world, None, None, {}, None
        try:
            _, signed_as = signature.scope(self.headers)
            service = model.service(signed_as)
            if service is None:
                raise model.Fault('NotStoodInFor', f'there is no {signed_as} here')
            if self.headers.get_content_type() not in PROTOCOLS:
                raise model.Fault('NotStoodInFor', f'{self.headers.get_content_type()} is not understood here')
            signature.verify('POST', self.path, self.headers, body, REGION, world.now())
            name, version, rest = protocol.named(self.headers, body)
            with world.lock:
                spoiled = trouble.due(world, name)
                trouble.refuse(spoiled)
                op = model.operation(service, name, version)
                asked = model.checked(op, protocol.parameters(op, rest))
                handler = OPERATIONS[service.service_name].get(op.name)
                if handler is None:
                    raise model.Fault('NotStoodInFor', f'the stand-in does not know {op.name}')
                text = b'' if spoiled == 'reset' else protocol.answer(service, op, model.proper(op, handler(world, asked)), request_id)
        except model.Fault as fault:
            status = model.status(op, fault)
            self.remember(name, asked, fault.code)
            return status, protocol.refusal(service, fault, status, request_id), None
        self.remember(name, asked, spoiled or 'ok')
        return 200, text, spoiled

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
