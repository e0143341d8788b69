"""Whatever a stream can hold can be parked: any hash key, any size, any key, any reason."""

import zlib
from dataclasses import replace
from functools import cache
from random import Random

import pytest

from fakes.engine import ARRIVAL, record_of
from orderstream.errors import DependencyError
from orderstream_consumer.delivery import (
    PARKING,
    NotFirstError,
    ParkedRecords,
    RecordIncompleteError,
    StoredParking,
)
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import Put
from orderstream_consumer.testing import Fault, MemoryStore

LARGEST = 10 * 1024 * 1024
"""Bytes of the largest record that a stream can be set to take."""

TOO_LARGE = 4_300_000
"""Bytes of a record of 15 parts, three more than a transaction takes."""


class Recorder:
    """Remembers whole records."""

    def __init__(self) -> None:
        self.records: list[DeliveredRecord] = []

    def handle(self, record: DeliveredRecord) -> None:
        self.records.append(record)


class Outages:
    """Lets the calls with these numbers fail, counted from now."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.kind = Fault.BEFORE

    def __call__(self, operation: str, _: object) -> Fault | None:
        if operation != "transact" or not self.left:
            return None
        self.left[0] -= 1
        if self.left[0] > 0:
            return None
        self.left.pop(0)
        return self.kind


@cache
def incompressible(size: int) -> bytes:
    """Bytes that no compression makes fewer, the same in each run."""
    return Random(size).randbytes(size)


def parking_in(store: MemoryStore) -> StoredParking:
    return StoredParking(store, "it", lambda: ARRIVAL)


def redriven(store: MemoryStore, key: str) -> list[DeliveredRecord]:
    recorder = Recorder()
    ParkedRecords(store, "it").redrive(key, recorder)
    return recorder.records


@pytest.mark.parametrize("hash_key", [0, 10**38 - 1, 10**38, 2**128 - 1])
def test_any_hash_key_can_be_parked(hash_key: int) -> None:
    """Hash keys have up to 39 digits, one more than a number of DynamoDB."""
    store = MemoryStore()
    record = replace(record_of("a", 1), explicit_hash_key=hash_key)
    parking_in(store).park(record, "broken")
    assert redriven(store, "a") == [record]


def test_rows_of_earlier_versions_are_read() -> None:
    """They have the hash key as a number, and one compressed body cut into parts."""
    store = MemoryStore()
    body = incompressible(900_000)
    parking_in(store).park(record_of("a", 1), "broken")
    (row,) = store.query(PARKING.name, "it/a")
    compressed = zlib.compress(body)
    pieces = [compressed[start : start + 300_000] for start in range(0, len(compressed), 300_000)]
    old = {**row.attributes, "explicit_hash_key": 7, "parts": len(pieces), "body": pieces[0]}
    sort = str(row.sort)
    store.transact([Put(PARKING.name, row.key, old, 1, sort=sort)])
    for part, piece in enumerate(pieces[1:], start=1):
        store.transact([Put(PARKING.name, row.key, {"body": piece}, None, sort=f"{sort[:-2]}{part:02}")])
    assert redriven(store, "a") == [replace(record_of("a", 1, body), explicit_hash_key=7)]


@pytest.mark.parametrize("size", [0, 1, 300_000, 300_001, 900_000])
def test_version_1_reads_what_is_parked_or_refuses_it(size: int) -> None:
    """After a rollback nothing is carried out cut: it joins the parts and decompresses them as one."""
    store, body = MemoryStore(), incompressible(size)
    parking_in(store).park(replace(record_of("a", 1), data=body), "broken")
    parts = [part.attributes["body"] for part in store.query(PARKING.name, "it/a")]
    read = b"".join(part for part in parts if isinstance(part, bytes))
    assert zlib.decompress(read) == body
    if len(parts) > 1:
        with pytest.raises(zlib.error, match="incomplete"):
            zlib.decompress(b"".join(part for part in parts[:-1] if isinstance(part, bytes)))


def test_parts_of_two_hosts_fit_together() -> None:
    """Another build of zlib compresses otherwise: whoever completes an entry need not have begun it."""
    store, body = MemoryStore(), bytes(range(256)) * 3_000
    parking_in(store).park(record_of("a", 1, body), "broken")
    _, second, third = store.query(PARKING.name, "it/a")
    other = zlib.compressobj(1)
    pieces = [body[start : start + 300_000] for start in range(0, len(body), 300_000)]
    theirs = [other.compress(piece) + other.flush(zlib.Z_FULL_FLUSH) for piece in pieces[:-1]]
    theirs.append(other.compress(pieces[-1]) + other.flush())
    for row, written in ((second, theirs[1]), (third, theirs[2])):
        assert row.attributes["body"] != written
        store.transact([Put(PARKING.name, row.key, {"body": written}, row.version, sort=row.sort)])
    assert redriven(store, "a") == [record_of("a", 1, body)]


@pytest.mark.parametrize("key", ["k" * 256, "\U0001f69a" * 256, "\0"])
def test_any_partition_key_can_be_parked(key: str) -> None:
    """256 characters of four bytes are as long as a sort key can be."""
    store = MemoryStore()
    parking_in(store).park(record_of(key, 1, b"x"), "broken")
    assert redriven(store, key) == [record_of(key, 1, b"x")]


def test_any_reason_can_be_stored() -> None:
    """The message of an error may quote what is no Unicode."""
    store = MemoryStore()
    parking_in(store).park(record_of("a", 1), "ValueError: '\udcff'")
    (key,) = ParkedRecords(store, "it").keys()
    assert key.reason == r"ValueError: '\udcff'"


@pytest.mark.parametrize("size", [0, 1, 300_000, 300_001, 3_600_000, 3_600_001, LARGEST])
def test_any_size_can_be_parked_redriven_and_leaves_nothing(size: int) -> None:
    """Ten MiB are more than a transaction holds, both when they are stored and when they are taken."""
    store = MemoryStore()
    body = incompressible(size)
    record = replace(record_of("a", 1), data=body)
    parking = parking_in(store)
    parking.park(record, "broken")
    assert parking.append(record_of("a", 2))
    assert [parked.record for parked in ParkedRecords(store, "it").records("a")] == [
        record,
        record_of("a", 2),
    ]
    assert redriven(store, "a") == [record, record_of("a", 2)]
    assert store.query(PARKING.name, "it/a") == []


@pytest.mark.parametrize("kind", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("call", range(1, 5))
def test_an_outage_amid_the_parts_is_made_up_for_by_the_next_owner(kind: Fault, call: int) -> None:
    """Until then the key is parked, a redrive waits, and what comes later waits behind the record."""
    outages = Outages()
    store = MemoryStore(outages)
    record = record_of("a", 1, incompressible(TOO_LARGE))
    outages.left, outages.kind = [call], kind
    with pytest.raises(DependencyError):
        parking_in(store).park(record, "broken")
    successor = parking_in(store)
    successor.load()
    assert successor.is_parked("a") is ((call, kind) != (1, Fault.BEFORE))
    stored = store.query(PARKING.name, "it/a")
    if 0 < len(stored) < 15:
        with pytest.raises(RecordIncompleteError, match=f"{len(stored)} of 15 parts"):
            redriven(store, "a")
        (shown,) = ParkedRecords(store, "it").records("a")
        assert f"{len(stored)} of 15" in shown.reason
    if not successor.append(record):
        successor.park(record, "broken")
    assert successor.count() == 1
    assert redriven(store, "a") == [record]
    assert store.query(PARKING.name, "it/a") == []


@pytest.mark.parametrize("kind", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("call", range(1, 5))
def test_a_redrive_that_ends_amid_the_parts_leaves_no_half_record(kind: Fault, call: int) -> None:
    """What is left of the record is cleared by the next redrive of the key, and never taken for a record."""
    outages = Outages()
    store = MemoryStore(outages)
    record = record_of("a", 1, incompressible(TOO_LARGE))
    parking_in(store).park(record, "broken")
    parking_in(store).append(record_of("a", 2))
    outages.left, outages.kind = [call], kind
    with pytest.raises(DependencyError):
        redriven(store, "a")
    untouched = (call, kind) == (1, Fault.BEFORE)
    waiting = [record, record_of("a", 2)] if untouched else [record_of("a", 2)]
    assert [parked.record for parked in ParkedRecords(store, "it").records("a")] == waiting
    assert redriven(store, "a") == waiting
    assert store.query(PARKING.name, "it/a") == []


def test_the_same_record_parked_again_keeps_its_parts() -> None:
    """A redrive that clears its leftovers takes nothing from a record that was parked anew meanwhile."""
    outages = Outages()
    store = MemoryStore(outages)
    record = record_of("a", 1, incompressible(TOO_LARGE))
    parking_in(store).park(record, "broken")
    outages.left = [3]
    with pytest.raises(DependencyError):
        redriven(store, "a")
    parking_in(store).park(record, "broken again")
    assert redriven(store, "a") == [record]


def test_an_incomplete_record_can_be_discarded() -> None:
    """Whoever wants it no more need not wait for its owner, who then parks it anew."""
    outages = Outages()
    store = MemoryStore(outages)
    record = record_of("a", 1, incompressible(TOO_LARGE))
    outages.left = [3]
    with pytest.raises(DependencyError):
        parking_in(store).park(record, "broken")
    ParkedRecords(store, "it").discard_first("a", Position(1))
    assert store.query(PARKING.name, "it/a") == []
    with pytest.raises(NotFirstError):
        ParkedRecords(store, "it").discard_first("a", Position(1))
    parking_in(store).park(record, "broken")
    assert redriven(store, "a") == [record]
