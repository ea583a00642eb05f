# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as AWS's own models have them, by botocore: nothing here knows a service, or how it is written on the wire.

A request that the model does not allow is refused; an answer that it does not allow is our mistake and raises ValueError.
"""
import botocore.session
from botocore.validate import ParamValidator

_session = botocore.session.Session()
_services = {}
# By the name in a signature's scope.
_SIGNED_AS = {'rds': 'rds', 'sts': 'sts', 'cloudformation': 'cloudformation', 'monitoring': 'cloudwatch'}


class Fault(Exception):
    """A refusal that AWS would answer, by its code. Its status is the operation's model's word, or that of all services."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def service(signed_as):
    """The model of the service that a signature is scoped to; None for one that is not stood in for."""
    name = _SIGNED_AS.get(signed_as)
    if name is None:
        return None
    if name not in _services:
        _services[name] = _session.get_service_model(name)
    return _services[name]


def operation(model, name, version=None):
    """The model of an operation that a request names. version: of the API, if the request says it."""
    if name is None:
        raise Fault('MissingAction', 'The request is missing an action or a required parameter.')
    if name not in model.operation_names or version not in (None, model.metadata['apiVersion']):
        raise Fault('InvalidAction', f"Could not find operation {name} for version {version or model.metadata['apiVersion']}")
    return model.operation_model(name)


def checked(op, found):
    """found, if the model allows it as the operation's parameters."""
    if op.input_shape:
        for name in op.input_shape.required_members:
            if name not in found:
                raise Fault('MissingParameter', f'The request must contain the parameter {name}')
        report = ParamValidator().validate(found, op.input_shape)
        if report.has_errors():
            raise Fault('ValidationError', report.generate_report())
    return found


def proper(op, data):
    """data, if the model allows it as the operation's answer."""
    if op.output_shape:
        report = ParamValidator().validate(data, op.output_shape)
        if report.has_errors():
            raise ValueError(f'{op.name}: {report.generate_report()}')
    return data


def known(shape, data):
    """data without the top-level members that this botocore's model does not have yet."""
    return {name: value for name, value in data.items() if name in shape.members}


# What every operation may answer, whatever its model lists.
_COMMON = {'InvalidClientTokenId': 403, 'SignatureDoesNotMatch': 403, 'MissingAuthenticationToken': 403,
           'ServiceUnavailable': 503, 'InvalidAction': 400, 'MissingAction': 400, 'Throttling': 400,
           'MissingParameter': 400, 'InvalidQueryParameter': 400, 'InvalidParameterValue': 400, 'ValidationError': 400,
           'InvalidParameterCombination': 400, 'IncompleteSignature': 400, 'RequestExpired': 400, 'NotStoodInFor': 501}


def status(op, fault):
    """Of HTTP. op: None if the request named none."""
    declared = {shape.error_code: shape.metadata.get('error', {}).get('httpStatusCode') for shape in op.error_shapes} if op else {}
    found = declared.get(fault.code) or _COMMON.get(fault.code)
    if found is None:
        raise ValueError(f'{op.name if op else "?"} does not answer {fault.code}')
    return found
