# SPDX-License-Identifier: Apache-2.0
"""AWS's JSON protocol, which command lines from late 2025 on speak to CloudWatch: a header names the operation, bodies are JSON, times
are seconds since 1970."""
import json

from botocore.utils import parse_timestamp

from .model import Fault

CONTENT_TYPE = 'application/x-amz-json-1.0'


def named(headers, body):
    """As query.named: X-Amz-Target is SERVICE.OPERATION."""
    return headers.get('X-Amz-Target', '').rpartition('.')[2] or None, None, body


def parameters(op, body):
    """Unknown members stay, and the model refuses them."""
    try:
        found = json.loads(body)
        if not isinstance(found, dict):
            raise ValueError('no object')
        return _converted(op.input_shape, found, parse_timestamp)
    except (ValueError, TypeError, AttributeError) as why:
        raise Fault('ValidationError', f'The body is not as the model has it: {why}') from None


def answer(_service, op, data, _request_id):
    return json.dumps(_converted(op.output_shape, data, lambda when: parse_timestamp(when).timestamp())).encode()


def refusal(_service, fault, _status, _request_id):
    return json.dumps({'__type': fault.code, 'message': fault.message}).encode()


def _converted(shape, value, time):
    """value with each of its timestamps made into what time() makes of it."""
    kind = shape.type_name if shape else None
    if kind == 'structure':
        return {name: _converted(shape.members.get(name), item, time) for name, item in value.items()}
    if kind == 'list':
        return [_converted(shape.member, item, time) for item in value]
    return time(value) if kind == 'timestamp' else value
