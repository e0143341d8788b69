"""Signs what goes to AWS X-Ray's own endpoint for OTLP: Signature Version 4, by the process's credentials.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
"""

from typing import TYPE_CHECKING

import requests
from boto3 import Session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from requests.auth import AuthBase

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from requests import PreparedRequest


def signed_session(region: str, credentials: "Credentials | None" = None) -> requests.Session:
    """A session of requests whose every request is signed.

    Args:
        region: The endpoint's.
        credentials: By default those that boto3 finds; asked for at each request, since a role's expire.
    """
    session = requests.Session()
    session.auth = _Signed(region, credentials)
    return session


class _Signed(AuthBase):
    def __init__(self, region: str, credentials: "Credentials | None") -> None:
        self._region = region
        self._credentials = credentials

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        self._credentials = self._credentials or Session().get_credentials()
        if self._credentials is None:
            return request  # refused by the endpoint, which is warned of as any refusal
        signed = AWSRequest(request.method, request.url, data=request.body)
        SigV4Auth(self._credentials.get_frozen_credentials(), "xray", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request
