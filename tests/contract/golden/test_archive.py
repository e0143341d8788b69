"""Today's archiver would write the archive that version 1 wrote, from the same stream."""

import json
from typing import Any

import pyarrow.parquet as pq

from fakes.golden import GOLDEN, stream
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_workers.services.archiver.names import (
    FROM,
    PREVIOUS,
    TO,
    format_position,
    object_key,
    parse_position,
)
from orderstream_workers.services.archiver.parquet import SCHEMA, encode_records

_ARCHIVE = GOLDEN / "plain" / "archive"


def _objects() -> list[tuple[str, dict[str, str], Any]]:
    listed = json.loads((_ARCHIVE / "objects.json").read_text())
    return [
        (key, about["metadata"], pq.read_table(_ARCHIVE / about["file"]))
        for key, about in sorted(listed.items())
    ]


def _records(table: Any) -> list[DeliveredRecord]:
    return [
        DeliveredRecord(
            shard_id=row["shard_id"],
            position=Position(int(row["sequence_number"]), row["subsequence_number"]),
            partition_key=row["partition_key"],
            data=row["data"],
            approximate_arrival=row["arrived_at"],
        )
        for row in table.to_pylist()
    ]


def test_every_object_has_the_columns_of_today() -> None:
    """Columns may be added behind those that are there, never renamed or typed anew."""
    for _, _, table in _objects():
        assert list(table.schema)[: len(SCHEMA)] == list(SCHEMA)


def test_every_object_encodes_to_the_same_table(tmp_path: Any) -> None:
    """The same records give the same rows: event id, type, order and source are found as they were."""
    for _, _, table in _objects():
        again = tmp_path / "again.parquet"
        again.write_bytes(encode_records(_records(table)))
        assert pq.read_table(again).equals(table)


def test_names_and_metadata_follow_from_the_records() -> None:
    """An archiver that reads the same records comes to the same names, and the chain has no gap."""
    ends: dict[str, str] = {}
    for key, metadata, table in _objects():
        records = _records(table)
        assert key == object_key(records[0])
        assert parse_position(metadata[FROM]) == records[0].position
        assert parse_position(metadata[TO]) == records[-1].position
        assert metadata[TO] == format_position(records[-1].position)
        shard = records[0].shard_id
        assert metadata[PREVIOUS] == ends.get(shard, "")
        ends[shard] = metadata[TO]


def test_the_archive_is_the_stream() -> None:
    """Every record of the stream stands in the archive once, byte for byte."""
    archived = [record for _, _, table in _objects() for record in _records(table)]
    read = stream("plain/orders")
    assert len(archived) == len(read)
    assert {(record.shard_id, record.position): record.data for record in archived} == {
        (record.shard_id, record.position): record.data for record in read
    }
