"""Reads shards off responses: the pages of ListShards, and the ``ChildShards`` of a read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orderstream.aws.responses import UnreadableResponseError, required
from orderstream.kinesis.shard import HashRange, Shard


def list_pages(list_shards: Callable[..., Any], stream: Mapping[str, str]) -> Iterator[Any]:
    """Call ListShards until there is no further page.

    Args:
        list_shards: The client's method.
        stream: How requests name the stream: ``StreamName`` or ``StreamARN``.

    Yields:
        Each response, as the client returns it.

    Raises:
        UnreadableResponseError: A token came twice, which would never end, or is none.
    """
    request: Mapping[str, str] = stream
    seen: set[str] = set()
    while True:
        page = list_shards(**request)
        yield page
        if not isinstance(page, Mapping) or not page.get("NextToken"):
            return
        token = required(page, "NextToken", str)
        if token in seen:
            raise UnreadableResponseError("the same NextToken came twice")
        seen.add(token)
        # Kinesis refuses a token beside the stream's name or its ARN: the token names the stream.
        request = {"NextToken": token}


def shards_of(page: object) -> list[Shard]:
    """Return the shards of one page of ListShards, closed ones included.

    Raises:
        UnreadableResponseError: It is no page of shards.
    """
    return [_listed(described) for described in required(page, "Shards", list)]


def children_of(read: Mapping[str, Any]) -> tuple[Shard, ...]:
    """Return the shards that go on from one that has been read to its end.

    Args:
        read: A response of GetRecords, or an event of SubscribeToShard.

    Returns:
        Its ``ChildShards``; empty if it names none.

    Raises:
        UnreadableResponseError: One of them lacks its id, its range or its parents.
    """
    return tuple(_child(described) for described in read.get("ChildShards") or ())


def _listed(described: object) -> Shard:
    numbers = required(described, "SequenceNumberRange", dict)
    ended = numbers.get("EndingSequenceNumber") is not None
    return Shard(
        required(described, "ShardId", str),
        _hash_range(described),
        frozenset(
            required(described, name, str)
            for name in ("ParentShardId", "AdjacentParentShardId")
            if isinstance(described, Mapping) and described.get(name)
        ),
        is_open=not ended,
        starting_sequence_number=_number(numbers, "StartingSequenceNumber"),
        ending_sequence_number=_number(numbers, "EndingSequenceNumber") if ended else None,
    )


def _child(described: object) -> Shard:
    parents = required(described, "ParentShards", list)
    if not parents:
        raise UnreadableResponseError("its response has a child without parents")
    return Shard(required(described, "ShardId", str), _hash_range(described), frozenset(parents))


def _hash_range(described: object) -> HashRange:
    keys = required(described, "HashKeyRange", dict)
    return HashRange(_number(keys, "StartingHashKey"), _number(keys, "EndingHashKey"))


def _number(structure: Mapping[str, Any], name: str) -> int:
    text = required(structure, name, str)
    if not (text.isascii() and text.isdigit()):
        raise UnreadableResponseError(f"its response has no {name} that is a number: {text[:40]!r}")
    return int(text)
