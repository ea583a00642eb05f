# SPDX-License-Identifier: Apache-2.0
"""AWS's query protocol: a form is asked, XML is answered."""
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp

from .model import Fault

CONTENT_TYPE = 'text/xml'


def named(_headers, body):
    """(operation, version, what else is in it) of a request."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return form.pop('Action', None), form.pop('Version', None), form


# ---- what was asked ------------------------------------------------------------------------------------------------

def parameters(op, form):
    """The form's parameters, typed as the model has them. Raises Fault for whatever it does not know."""
    found = _structure(op.input_shape, '', form) if op.input_shape else {}
    if form:
        raise Fault('InvalidQueryParameter', f'{op.name} has no parameter {", ".join(sorted(form))}')
    return found


def _structure(shape, prefix, left):
    found = {}
    for name, member in shape.members.items():
        value = _value(member, prefix + member.serialization.get('name', name), left)
        if value is not None:
            found[name] = value
    return found


def _value(shape, key, left):
    """What the form says of a member, taken out of it; None if nothing. Maps are not stood in for: they are left, and so refused."""
    kind = shape.type_name
    if kind == 'structure':
        return _structure(shape, key + '.', left) or None
    if kind == 'list':
        return _list(shape, key, left)
    text = left.pop(key, None)
    return None if text is None else _scalar(kind, key, text)


def _list(shape, key, left):
    if not shape.serialization.get('flattened'):
        key += '.' + shape.member.serialization.get('name', 'member')
    items = []
    while any(name == f'{key}.{len(items) + 1}' or name.startswith(f'{key}.{len(items) + 1}.') for name in left):
        value = _value(shape.member, f'{key}.{len(items) + 1}', left)
        if value is None:
            break
        items.append(value)
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

def answer(service, op, data, request_id):
    inner = ''
    if op.output_shape:
        out = []
        _members(op.output_shape, data, out)
        wrapper = op.output_shape.serialization.get('resultWrapper')
        inner = f'<{wrapper}>{"".join(out)}</{wrapper}>' if wrapper else ''.join(out)
    return (f'<{op.name}Response xmlns="{service.metadata["xmlNamespace"]}">{inner}'
            f'<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{op.name}Response>').encode()


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


def refusal(service, fault, status, request_id):
    namespace = service.metadata['xmlNamespace'] if service else ''
    return (f'<ErrorResponse xmlns="{namespace}"><Error><Type>{"Sender" if status < 500 else "Receiver"}</Type>'
            f'<Code>{fault.code}</Code><Message>{escape(fault.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>').encode()
