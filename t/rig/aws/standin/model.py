# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as AWS's own models have them, by botocore: nothing here knows a service.

A request that the model does not allow is refused; an answer that it does not allow is our mistake and raises ValueError.
"""
from xml.sax.saxutils import escape

import botocore.session
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator

_session = botocore.session.Session()
_services = {}
# By the name in a signature's scope.
_SIGNED_AS = {'rds': 'rds', 'sts': 'sts', 'cloudformation': 'cloudformation', 'monitoring': 'cloudwatch'}
NAMESPACES = {'cloudwatch': 'http://monitoring.amazonaws.com/doc/2010-08-01/'}


class Fault(Exception):
    """A refusal that AWS would answer. status: of HTTP; None, and the operation's model tells."""

    def __init__(self, code, message, status=None):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def service(signed_as):
    """The model of the service that a signature is scoped to; None for one that is not stood in for."""
    name = _SIGNED_AS.get(signed_as)
    if name is None:
        return None
    if name not in _services:
        _services[name] = _session.get_service_model(name)
    return _services[name]


def operation(model, form):
    """The operation that a decoded form asks for."""
    name = form.get('Action')
    if name is None:
        raise Fault('MissingAction', 'The request is missing an action or a required parameter.')
    if form.get('Version') != model.metadata['apiVersion']:
        raise Fault('InvalidAction', f"Could not find operation {name} for version {form.get('Version')}")
    if name not in model.operation_names:
        raise Fault('InvalidAction', f'Could not find operation {name} for version {form["Version"]}')
    return model.operation_model(name)


# ---- what was asked ------------------------------------------------------------------------------------------------

def parameters(op, form):
    """The form's parameters, typed as the model has them. Raises Fault for whatever it does not know."""
    left = {key: value for key, value in form.items() if key not in ('Action', 'Version')}
    found = _structure(op.input_shape, '', left) if op.input_shape else {}
    if left:
        raise Fault('InvalidQueryParameter', f'{op.name} has no parameter {", ".join(sorted(left))}')
    if op.input_shape:
        for name in op.input_shape.required_members:
            if name not in found:
                raise Fault('MissingParameter', f'The request must contain the parameter {name}')
        report = ParamValidator().validate(found, op.input_shape)
        if report.has_errors():
            raise Fault('ValidationError', report.generate_report())
    return found


def _structure(shape, prefix, left):
    found = {}
    for name, member in shape.members.items():
        value = _value(member, prefix + member.serialization.get('name', name), left)
        if value is not None:
            found[name] = value
    return found


def _value(shape, key, left):
    kind = shape.type_name
    if kind == 'structure':
        return _structure(shape, key + '.', left) or None
    if kind == 'list':
        return _list(shape, key, left)
    if kind == 'map':
        raise Fault('InvalidQueryParameter', f'{key}: maps are not stood in for')
    text = left.pop(key, None)
    return None if text is None else _scalar(kind, key, text)


def _list(shape, key, left):
    if not shape.serialization.get('flattened'):
        key += '.' + shape.member.serialization.get('name', 'member')
    items = []
    while any(name == f'{key}.{len(items) + 1}' or name.startswith(f'{key}.{len(items) + 1}.') for name in left):
        items.append(_value(shape.member, f'{key}.{len(items) + 1}', left))
    return items or None


def _scalar(kind, key, text):
    try:
        if kind in ('integer', 'long'):
            return int(text)
        if kind in ('float', 'double'):
            return float(text)
        if kind == 'boolean':
            return {'true': True, 'false': False}[text]
        if kind == 'timestamp':
            return parse_timestamp(text)
    except (ValueError, KeyError):
        raise Fault('InvalidParameterValue', f'{key}: {text} is not a valid {kind}') from None
    return text


# ---- what is answered ----------------------------------------------------------------------------------------------

def answer(model, op, data, request_id):
    """The XML that says data, a structure as the operation's model has it; members unknown to this model are an error."""
    inner = ''
    if op.output_shape:
        report = ParamValidator().validate(data, op.output_shape)
        if report.has_errors():
            raise ValueError(f'{op.name}: {report.generate_report()}')
        out = []
        _members(op.output_shape, data, out)
        inner = ''.join(out)
        wrapper = op.output_shape.serialization.get('resultWrapper')
        inner = f'<{wrapper}>{inner}</{wrapper}>' if wrapper else inner
    return (f'<{op.name}Response xmlns="{_namespace(model)}">{inner}'
            f'<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{op.name}Response>').encode()


def _namespace(model):
    return model.metadata.get('xmlNamespace') or NAMESPACES[model.service_name]


def _members(shape, data, out):
    for name, value in data.items():
        member = shape.members[name]
        if value is not None:
            _element(member, value, member.serialization.get('name', name), out)


def _element(shape, value, name, out):
    kind = shape.type_name
    if kind == 'list' and shape.serialization.get('flattened'):
        for item in value:
            _element(shape.member, item, name, out)
        return
    out.append(f'<{name}>')
    if kind == 'structure':
        _members(shape, value, out)
    elif kind == 'list':
        for item in value:
            _element(shape.member, item, shape.member.serialization.get('name', 'member'), out)
    elif kind == 'timestamp':
        out.append(parse_timestamp(value).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3] + 'Z')
    elif kind == 'boolean':
        out.append('true' if value else 'false')
    else:
        out.append(escape(str(value)))
    out.append(f'</{name}>')


def known(shape, data):
    """data without the top-level members that this botocore's model does not have yet."""
    return {name: value for name, value in data.items() if name in shape.members}


# What every operation may answer, whatever its model lists.
_COMMON = {'InvalidClientTokenId': 403, 'SignatureDoesNotMatch': 403, 'MissingAuthenticationToken': 403, 'AccessDenied': 403,
           'ServiceUnavailable': 503, 'InternalFailure': 500, 'InvalidAction': 400, 'MissingAction': 400, 'Throttling': 400,
           'MissingParameter': 400, 'InvalidQueryParameter': 400, 'InvalidParameterValue': 400, 'ValidationError': 400,
           'InvalidParameterCombination': 400, 'IncompleteSignature': 400, 'RequestExpired': 400, 'NotStoodInFor': 501}


def refusal(model, op, fault, request_id):
    """(status, XML) of a Fault."""
    declared = {shape.error_code: shape.metadata.get('error', {}).get('httpStatusCode') for shape in op.error_shapes} if op else {}
    status = fault.status or declared.get(fault.code) or _COMMON.get(fault.code)
    if status is None:
        raise ValueError(f'{op.name if op else "?"} does not answer {fault.code}')
    text = (f'<ErrorResponse xmlns="{_namespace(model) if model else ""}"><Error><Type>{"Sender" if status < 500 else "Receiver"}</Type>'
            f'<Code>{fault.code}</Code><Message>{escape(fault.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>')
    return status, text.encode()
