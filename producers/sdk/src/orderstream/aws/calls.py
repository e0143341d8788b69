"""How calls to AWS fail: one translation of botocore's errors, and of responses without the expected content.

::

    the service refuses this very request ──────────────> what the adapter makes of its code
    the request cannot even be written ─────────────────> RequestInvalidError
    anything else: throttled, out of reach, expired,
    denied, missing, unreadable, a gateway's page ──────> DependencyError, which a retry can resolve

A proxy, a load balancer or a captive portal responds with whatever it likes, under whatever status. So an
error counts as the service's own only by a code that the adapter knows, and a response counts as the
service's own only if it has what the service always gives.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from orderstream.aws.responses import UnreadableResponseError, structure
from orderstream.errors import DependencyError, OrderstreamError, RequestInvalidError

Refusals = Callable[[str, ClientError], Exception | None]
"""What an error of the service is, by its code, where it is about the request at hand; else None."""

_LONGEST_REASON: Final = 300
"""Characters: a page may be long, and its first lines identify its sender."""

# What botocore's parsers run into where a response has other types than its model says.
_UNREADABLE: Final = (AttributeError, LookupError, RecursionError, TypeError, ValueError)

_CREDENTIALS: Final = "check the credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID, or the role of the task"
_CLOCK: Final = "compare this host's clock with the real time, and check AWS_SECRET_ACCESS_KEY"
_RIGHTS: Final = "allow it to this role in IAM"
_NAME: Final = "compare its name, the account and the region (AWS_REGION)"
_WAY: Final = "check AWS_REGION, AWS_ENDPOINT_URL and the way there: proxy, DNS, security groups"
_TRUST: Final = "check the endpoint's certificate and AWS_CA_BUNDLE"

_ADVICE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "CredentialRetrievalError",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "NoCredentialsError",
            "PartialCredentialsError",
            "RequestExpired",
            "TokenRefreshRequired",
            "TokenRetrievalError",
            "UnauthorizedSSOTokenError",
            "UnrecognizedClientException",
        ),
        _CREDENTIALS,
    ),
    **dict.fromkeys(
        (
            "IncompleteSignature",
            "InvalidSignatureException",
            "RequestInTheFuture",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
        ),
        _CLOCK,
    ),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"),
        _RIGHTS,
    ),
    **dict.fromkeys(
        (
            "AWS.SimpleQueueService.NonExistentQueue",
            "NoSuchBucket",
            "NotFound",
            "QueueDoesNotExist",
            "ResourceNotFoundException",
        ),
        _NAME,
    ),
    **dict.fromkeys(
        (
            "ConnectTimeoutError",
            "ConnectionClosedError",
            "EndpointConnectionError",
            "NoRegionError",
            "ProxyConnectionError",
            "ReadTimeoutError",
        ),
        _WAY,
    ),
    "SSLError": _TRUST,
}
"""What a person can do about it, by the service's code or botocore's class."""


def no_refusals(_code: str, _error: ClientError) -> Exception | None:
    """No error of the service is about the request at hand."""
    return None


class ExpectedRefusalError(Exception):
    """The service has refused with a code that the caller expected; see ``expecting``.

    Args:
        code: That code.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def expecting(*codes: str) -> Refusals:
    """Refusals of calls that ask whether something is there, or make what may be there already.

    Args:
        codes: The service's codes that say so; ``aws_calls`` raises an ExpectedRefusalError for each.
    """

    def refused(code: str, _error: ClientError) -> Exception | None:
        return ExpectedRefusalError(code) if code in codes else None

    return refused


@contextmanager
def aws_calls(
    dependency: str,
    operation: str,
    *,
    client: object = None,
    resource: str = "",
    setting: str = "",
    refusals: Refusals = no_refusals,
) -> Iterator[None]:
    """Translate what the calls in the body raise. Take the response apart in the body, too.

    Args:
        dependency: The service, e.g. ``"dynamodb"``.
        operation: What is asked of it, e.g. ``"PutItem"``.
        client: The boto3 client that makes the calls: region and endpoint are read off it.
        resource: What is asked about: a table's, a stream's, a queue's name.
        setting: The setting that names the resource, e.g. ``"ORDERSTREAM_STREAM"``.
        refusals: Which of the service's errors are about the request at hand.

    Raises:
        DependencyError: No statement of the service about this request: asking again can help.
        RequestInvalidError: botocore cannot write such a request: asking again cannot help.
    """

    def outage(code: str, reason: str) -> DependencyError:
        meta = getattr(client, "meta", None)
        advice = _ADVICE.get(code, "")
        if advice is _NAME and setting:
            advice = f"{advice}; it is named by {setting}"
        return DependencyError(
            dependency,
            operation,
            reason[:_LONGEST_REASON],
            code=code,
            resource=resource,
            region=str(getattr(meta, "region_name", None) or ""),
            endpoint=str(getattr(meta, "endpoint_url", None) or ""),
            advice=advice,
        )

    try:
        yield
    except OrderstreamError:
        raise
    except ClientError as error:
        code = error_code(error)
        refused = refusals(code, error)
        if refused is not None:
            raise refused from error
        raise outage(code, _described(error)) from error
    except ParamValidationError as error:
        raise RequestInvalidError(dependency, operation, str(error)) from error
    except UnreadableResponseError as error:
        raise outage("UnreadableResponse", str(error)) from error
    except (BotoCoreError, ResponseParserError, OSError) as error:
        raise outage(type(error).__name__, str(error) or repr(error)) from error
    except _UNREADABLE as error:
        raise outage("UnreadableResponse", f"its response cannot be read: {error!r}") from error


def error_code(error: ClientError) -> str:
    """The service's error code; the HTTP status where it gave none, and ``"Unknown"`` without either."""
    code, _, status = error_parts(error)
    return code or status or "Unknown"


def error_parts(error: ClientError) -> tuple[str, str, str]:
    """Code, message and HTTP status of an error; each of them empty where a response lacks it."""
    response: object = error.response
    described, metadata = structure(response, "Error"), structure(response, "ResponseMetadata")
    values = (described.get("Code"), described.get("Message"), metadata.get("HTTPStatusCode"))
    code, message, status = (str(value or "") for value in values)
    return code, message, status


def _described(error: ClientError) -> str:
    code, message, status = error_parts(error)
    head = " ".join(part for part in (f"HTTP {status}" if status else "", code) if part and part != status)
    return f"{head or 'no error code'}: {message or 'no message'}"
