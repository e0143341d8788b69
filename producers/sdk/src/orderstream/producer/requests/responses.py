"""Reads what comes back from Kinesis: response or exception, it becomes an input of the core.

A gateway in between may respond with anything: an empty body, a page, a list where an object belongs. Such a
response says nothing about the records, so their calls are made again.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError

from orderstream.aws import error_parts
from orderstream.kinesis.shard_map import HashRange, Shard
from orderstream.producer.core.retrier import is_retryable
from orderstream.producer.outcome import Acknowledged, Failure

UNINTELLIGIBLE: Final = "UnintelligibleResponse"
"""The error code of a response that does not say what Kinesis says."""

# botocore refuses to make the request, and with this client it always will: the parameters and the lack of
# credentials stay. Anything else that a call raises may be over at the next one.
_PERMANENT_ERRORS: Final = (NoCredentialsError, ParamValidationError)

_SHOWN = 200

_Kind = TypeVar("_Kind")


class UnintelligibleResponseError(Exception):
    """A response does not say what Kinesis says; for this package alone."""


def results_of(response: object, entries: int) -> tuple[Acknowledged | Failure, ...]:
    """Return what became of each entry of a PutRecords request, in order.

    Args:
        response: What the call returned.
        entries: How many entries the request had.

    Raises:
        UnintelligibleResponseError: It does not have one result for each entry.
    """
    results = _member(response, "Records", list)
    if len(results) != entries:
        raise UnintelligibleResponseError(f"{len(results)} results for {entries} entries")
    return tuple(map(_result, results))


def shards_of(response: object) -> tuple[list[Shard], str | None]:
    """Return a page of ListShards and the token of the next one, if there is one.

    Raises:
        UnintelligibleResponseError: It is no page of shards.
    """
    shards = [_shard(shard) for shard in _member(response, "Shards", list)]
    token = _mapping(response).get("NextToken")
    if token is not None and not isinstance(token, str):
        raise UnintelligibleResponseError(f"NextToken is {_shown(token)}")
    return shards, token or None


def failure_of(error: BaseException) -> Failure:
    """Judge what an exception means for the call that raised it."""
    if isinstance(error, UnintelligibleResponseError):
        return Failure(UNINTELLIGIBLE, str(error), retryable=True)
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
    return Failure(UNINTELLIGIBLE, f"the entry's result is {_shown(entry)}", retryable=True)


def _shard(described: object) -> Shard:
    shard = _mapping(described)
    hash_range = _mapping(shard.get("HashKeyRange"))
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return Shard(
        _member(shard, "ShardId", str),
        HashRange(_hash_key(hash_range, "StartingHashKey"), _hash_key(hash_range, "EndingHashKey")),
        closed="EndingSequenceNumber" in _mapping(shard.get("SequenceNumberRange")),
        parents=tuple(parent for parent in parents if isinstance(parent, str)),
    )


def _hash_key(hash_range: Mapping[str, object], name: str) -> int:
    text = _member(hash_range, name, str)
    if not (text.isascii() and text.isdigit()):
        raise UnintelligibleResponseError(f"{name} is {_shown(text)}")
    return int(text)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UnintelligibleResponseError(f"an object is expected, not {_shown(value)}")
    return value


def _member(value: object, name: str, kind: type[_Kind]) -> _Kind:
    member = _mapping(value).get(name)
    if not isinstance(member, kind):
        raise UnintelligibleResponseError(f"{name} is {_shown(member)}")
    return member


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
