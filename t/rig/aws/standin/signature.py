# SPDX-License-Identifier: Apache-2.0
"""Is a request signed as AWS wants it (Signature Version 4)? The sums are botocore's own."""
import datetime
import hmac
import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from .model import Fault

# AWS publishes this pair as its example. There is no other here.
ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE'
SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
SKEW = datetime.timedelta(minutes=5)

_AUTHORIZATION = re.compile(r'AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?'
                            r'SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})')


class _As(SigV4Auth):
    """A signer that signs the headers it is told to, and no others."""

    def __init__(self, names, region, service):
        super().__init__(Credentials(ACCESS_KEY, SECRET_KEY), service, region)
        self._names = names

    def headers_to_sign(self, request):
        headers = HTTPHeaders()
        for name in self._names:
            headers[name] = request.headers[name]
        return headers


def scope(headers):
    """(region, service) that a request says it is signed for. Raises Fault for one that says nothing."""
    return _parts(headers)[2:4]


def _parts(headers):
    text = headers.get('Authorization')
    if text is None:
        raise Fault('MissingAuthenticationToken', 'Request is missing Authentication Token')
    found = _AUTHORIZATION.fullmatch(text)
    if found is None:
        raise Fault('IncompleteSignature', 'The request signature does not conform to AWS standards.')
    return found.groups()


def verify(method, path, headers, body, region, now):
    """Raises Fault unless the request is signed with the one key, for that region, at about that time (aware, UTC)."""
    key, date, said_region, service, signed, signature = _parts(headers)
    if key != ACCESS_KEY:
        raise Fault('InvalidClientTokenId', 'The security token included in the request is invalid.')
    names = signed.split(';')
    unsigned = [name for name in map(str.lower, headers.keys()) if name.startswith('x-amz-') and name not in names]
    if names != sorted(names) or 'host' not in names or unsigned:
        raise Fault('SignatureDoesNotMatch', 'Host and every X-Amz- header must be signed, in the order of the alphabet')
    if said_region != region:
        raise Fault('SignatureDoesNotMatch', f"Credential should be scoped to a valid region, not '{said_region}'.")
    stamp = headers.get('X-Amz-Date', '')
    try:
        when = datetime.datetime.strptime(stamp, '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Fault('IncompleteSignature', 'X-Amz-Date must be there, as in 20260102T030405Z') from None
    if stamp[:8] != date:
        raise Fault('SignatureDoesNotMatch', f'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {date} != {stamp}')
    if abs(now - when) > SKEW:
        raise Fault('RequestExpired', f'Signature expired or not yet current: {stamp} is not within 5 min of {now:%Y%m%dT%H%M%SZ}')
    request = AWSRequest(method=method, url=f"http://{headers['Host']}{path}", data=body)
    for name in names:
        if headers.get(name) is None:
            raise Fault('SignatureDoesNotMatch', f'{name} is said to be signed and is not there')
        request.headers[name] = ', '.join(headers.get_all(name))
    request.context['timestamp'] = stamp
    signer = _As(names, region, service)
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    if not hmac.compare_digest(expected, signature):
        raise Fault('SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided. '
                    'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.')
