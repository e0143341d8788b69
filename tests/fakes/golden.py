"""Reads the recorded streams, archive and tables under ``fixtures/golden``."""

import base64
import datetime as dt
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orderstream.aggregation import deaggregate
from orderstream.messages import uncompressed
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import Put, TableSpec
from orderstream_consumer.store.dynamodb import _item
from orderstream_consumer.testing import MemoryStore

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden" / "v1"


def stream(name: str) -> list[DeliveredRecord]:
    """The user records of a recorded stream, as a consumer gets them, shard by shard."""
    records: list[DeliveredRecord] = []
    for line in gzip.decompress((GOLDEN / f"{name}.jsonl.gz").read_bytes()).splitlines():
        raw = json.loads(line)
        content = deaggregate(base64.b64decode(raw["data"]), raw["partition_key"])
        records += [
            DeliveredRecord(
                shard_id=raw["shard_id"],
                position=Position(int(raw["sequence_number"]), index),
                partition_key=user.partition_key,
                data=user.data,
                approximate_arrival=dt.datetime.fromisoformat(raw["arrived_at"]),
                explicit_hash_key=user.explicit_hash_key,
            )
            for index, user in enumerate(content.user_records)
        ]
    return records


def events(name: str) -> Iterator[bytes]:
    """The events of a recorded stream, compression undone."""
    for record in stream(name):
        yield uncompressed(record.data)


def messages() -> list[bytes]:
    """The canonical JSON of every message type."""
    return (GOLDEN / "messages.jsonl").read_bytes().splitlines()


def books() -> dict[str, Any]:
    """How the orders ended, the provider's ledger and the stock."""
    content: dict[str, Any] = json.loads((GOLDEN / "plain" / "books.json").read_text())
    return content


def tables() -> MemoryStore:
    """The recorded tables, in a store."""
    recorded = json.loads(
        gzip.decompress((GOLDEN / "plain" / "tables.json.gz").read_bytes()), object_hook=_bytes
    )
    store = MemoryStore()
    store_specs = [TableSpec(name, sorted="sk" in items[0]) for name, items in recorded.items() if items]
    for spec in store_specs:
        for raw in recorded[spec.name]:
            item = _item(spec.name, raw)
            store.transact([Put(spec.name, item.key, item.attributes, None, item.sort)])
    return store


def _bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value
