"""Reads what comes back from Kinesis: response or exception, it becomes an input of the core.

A gateway in between may respond with anything: an empty body, a page, a list where an object belongs. Such a
response says nothing about the records, so their calls are made again.
"""

from collections.abc import Mapping
from typing import Final

from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError

from orderstream.aws import UnreadableResponseError, error_parts, required
from orderstream.producer.core.retrier import is_retryable
from orderstream.producer.outcome import Acknowledged, Failure

UNREADABLE: Final = "UnreadableResponse"
"""The error code of a response that does not say what Kinesis says."""

# botocore refuses to make the request, and with this client it always will: the parameters and the lack of
# credentials stay. Anything else that a call raises may be over at the next one.
_PERMANENT_ERRORS: Final = (NoCredentialsError, ParamValidationError)

_SHOWN = 200


def results_of(response: object, entries: int) -> tuple[Acknowledged | Failure, ...]:
    """Return what became of each entry of a PutRecords request, in order.

    Args:
        response: What the call returned.
        entries: How many entries the request had.

    Raises:
        UnreadableResponseError: It does not have one result for each entry.
    """
    results = required(response, "Records", list)
    if len(results) != entries:
        raise UnreadableResponseError(f"{len(results)} results for {entries} entries")
    return tuple(map(_result, results))


def failure_of(error: BaseException) -> Failure:
    """Judge what an exception means for the call that raised it."""
    if isinstance(error, UnreadableResponseError):
        return Failure(UNREADABLE, str(error), retryable=True)
    if isinstance(error, ClientError):
        return _refusal(error)
    return Failure(type(error).__name__, str(error), not isinstance(error, _PERMANENT_ERRORS))


def _refusal(error: ClientError) -> Failure:
    code, message, status = error_parts(error)
    code = code or f"HTTP {status or None}"
    # Outside AWS, proxies and load balancers respond in Kinesis' stead: what they refuse, Kinesis may take.
    of_a_gateway = status.isdecimal() and int(status) >= 500
    return Failure(code, message[:_SHOWN], is_retryable(code) or of_a_gateway)


def _result(entry: object) -> Acknowledged | Failure:
    if isinstance(entry, Mapping):
        shard_id, sequence_number = entry.get("ShardId"), entry.get("SequenceNumber")
        code = entry.get("ErrorCode")
        if isinstance(code, str) and code:
            return Failure(code, str(entry.get("ErrorMessage") or ""), is_retryable(code))
        if code is None and isinstance(shard_id, str) and isinstance(sequence_number, str):
            return Acknowledged(shard_id, sequence_number)
    return Failure(UNREADABLE, f"the entry's result is {repr(entry)[:_SHOWN]}", retryable=True)
