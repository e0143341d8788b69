"""What a stream and a table are asked to find out whether they respond."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from orderstream.aws import aws_calls, required
from orderstream_consumer.health.watch import Dependency
from orderstream_consumer.store import Store, TableSpec

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_NO_KEY: Final = "does-it-answer"
"""Key of an item that no table has."""


def stream_asked(kinesis: "KinesisClient", stream: str) -> Dependency:
    """A Kinesis stream: asked for one of its shards."""

    def ask() -> None:
        with aws_calls("kinesis", "ListShards", client=kinesis, resource=stream):
            required(kinesis.list_shards(StreamName=stream, MaxResults=1), "Shards", list)

    return Dependency(f"stream {stream}", ask)


def table_asked(store: Store, spec: TableSpec, table_prefix: str = "") -> Dependency:
    """A table of a store: asked for an item that is not there.

    Args:
        store: Reads it.
        spec: The table.
        table_prefix: What the store puts before the name, for the dependency's name.
    """
    sort = _NO_KEY if spec.sorted else None
    return Dependency(f"table {table_prefix}{spec.name}", lambda: store.get(spec.name, _NO_KEY, sort))


def lease_table_asked(get: Callable[[str], object], table: str) -> Dependency:
    """An application's lease table: asked for a lease that is not there.

    Args:
        get: Reads a lease by its key.
        table: The table's name.
    """
    return Dependency(f"table {table}", lambda: get(_NO_KEY))
