"""Redrive: what is parked is carried out in order, and the key runs freely only when nothing is left."""

from dataclasses import replace

import pytest

from fakes.engine import ARRIVAL, record_of
from orderstream.errors import DependencyError
from orderstream_consumer.delivery import (
    PARKING,
    NotFirstError,
    ParkedRecords,
    RedriveStoppedError,
    StoredParking,
)
from orderstream_consumer.delivery.parking import PositionTakenError, lifted
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import ConditionFailedError
from orderstream_consumer.testing import Fault, MemoryStore


class Recorder:
    """Remembers whole records; runs a script per call, first."""

    def __init__(self, *script: object) -> None:
        self.records: list[DeliveredRecord] = []
        self._script = list(script)

    def handle(self, record: DeliveredRecord) -> None:
        act = self._script.pop(0) if self._script else None
        if isinstance(act, Exception):
            raise act
        if callable(act):
            act()
        self.records.append(record)


def left(store: MemoryStore) -> list[object]:
    """The entries of key ``a``, and the keys that are parked."""
    return [*store.query(PARKING.name, "it/a"), *ParkedRecords(store, "it").keys()]


def parked(store: MemoryStore, *numbers: int) -> StoredParking:
    parking = StoredParking(store, "it", lambda: ARRIVAL)
    parking.park(record_of("a", numbers[0]), "broken")
    for number in numbers[1:]:
        assert parking.append(record_of("a", number))
    return parking


def test_all_is_carried_out_in_order_and_the_mark_is_lifted() -> None:
    """The records come back as they were, positions and all, and nothing is parked afterwards."""
    store = MemoryStore()
    parked(store, 9, 10, 100)
    recorder = Recorder()
    assert ParkedRecords(store, "it").redrive("a", recorder) == 3
    assert recorder.records == [record_of("a", number) for number in (9, 10, 100)]
    assert left(store) == []


def test_a_key_on_several_shards_is_parked_on_each_by_itself() -> None:
    """Where the stream distributes records itself: each owner knows the marks of its takeover and its own."""
    store = MemoryStore()
    here, there = (StoredParking(store, "it", lambda: ARRIVAL) for _ in range(2))
    here.park(record_of("a", 9), "broken")
    assert not there.is_parked("a")
    there.load()
    assert there.append(replace(record_of("a", 4), shard_id="other"))
    recorder = Recorder()
    assert ParkedRecords(store, "it").redrive("a", recorder) == 2
    assert [record.position.sequence_number for record in recorder.records] == [4, 9]


def test_two_shards_do_not_share_a_position() -> None:
    """A number is unique in its shard only: the second record does not pass for the first one."""
    parking = parked(store := MemoryStore(), 9)
    other = replace(record_of("a", 9), shard_id="other")
    for put_aside in (parking.append, lambda record: parking.park(record, "broken")):
        with pytest.raises(PositionTakenError, match="other"):
            put_aside(other)
    assert [one.record for one in ParkedRecords(store, "it").records("a")] == [record_of("a", 9)]


def test_a_body_in_many_parts_comes_back_whole() -> None:
    """Parts are put together in their order, ten and more of them too."""
    store = MemoryStore()
    parking = StoredParking(store, "it", lambda: ARRIVAL)
    body = b"".join((n * 2654435761 % 2**32).to_bytes(4) for n in range(900_000))
    parking.park(record_of("a", 1, body), "broken")
    assert len(store.query(PARKING.name, "it/a")) > 10
    recorder = Recorder()
    ParkedRecords(store, "it").redrive("a", recorder)
    assert recorder.records == [record_of("a", 1, body)]


def test_what_arrives_meanwhile_is_carried_out_too() -> None:
    """A record that is appended during a redrive is not left behind without a mark."""
    store = MemoryStore()
    parking = parked(store, 1)
    recorder = Recorder(lambda: parking.append(record_of("a", 2)))
    assert ParkedRecords(store, "it").redrive("a", recorder) == 2
    assert parking.count() == 0


def test_a_record_that_fails_again_stays_with_its_followers() -> None:
    """The redrive ends with the handler's reason; nothing is lost, and the key stays parked."""
    store = MemoryStore()
    parking = parked(store, 1, 2, 3)
    with pytest.raises(RedriveStoppedError, match=r"stopped after 1 .* ValueError: still broken") as stopped:
        ParkedRecords(store, "it").redrive("a", Recorder(None, ValueError("still broken")))
    assert (stopped.value.carried_out, stopped.value.record.data) == (1, b"a2")
    assert parking.count() == 2
    assert parking.is_parked("a")
    recorder = Recorder()
    ParkedRecords(store, "it").redrive("a", recorder)
    assert [record.data for record in recorder.records] == [b"a2", b"a3"]


def test_a_lost_acknowledgement_is_made_up_for() -> None:
    """A redrive that is called again after an outage goes on where it stopped."""
    faults: list[Fault] = []
    store = MemoryStore(lambda operation, _: faults.pop() if faults and operation == "transact" else None)
    parked(store, 1, 2)
    faults.append(Fault.AFTER)
    with pytest.raises(DependencyError):
        ParkedRecords(store, "it").redrive("a", Recorder())
    recorder = Recorder()
    ParkedRecords(store, "it").redrive("a", recorder)
    assert [record.data for record in recorder.records] == [b"a2"]
    assert left(store) == []


def test_after_a_redrive_an_owner_processes_again() -> None:
    """An owner that still believes in the mark learns from its next append that it is gone."""
    store = MemoryStore()
    owner = parked(store, 1)
    ParkedRecords(store, "it").redrive("a", Recorder())
    assert owner.is_parked("a")
    assert not owner.append(record_of("a", 2))
    assert not owner.is_parked("a")


def test_what_is_parked_survives_a_split() -> None:
    """The owner of the child knows the key, under whatever engine: parking asks for no lease and no shard."""
    store = MemoryStore()
    parked(store, 1, 2)
    child = StoredParking(store, "it", lambda: ARRIVAL)
    child.load()
    assert child.is_parked("a")
    late = replace(record_of("a", 3), shard_id="shardId-000000000001")
    assert child.append(late)
    recorder = Recorder()
    assert ParkedRecords(store, "it").redrive("a", recorder) == 3
    assert [record.data for record in recorder.records] == [b"a1", b"a2", b"a3"]
    assert recorder.records[-1].shard_id == "shardId-000000000001"
    assert not child.append(record_of("a", 4))


def test_a_look_shows_keys_and_records() -> None:
    """Each key has its first reason and its count, each record its own reason, in the order of the stream."""
    store = MemoryStore()
    parked(store, 9, 10)
    StoredParking(store, "other", lambda: ARRIVAL).park(record_of("b", 1), "broken")
    records = ParkedRecords(store, "it")
    (key,) = records.keys()
    assert (key.partition_key, key.reason, key.parked_at, key.count) == ("a", "broken", ARRIVAL, 2)
    first, second = records.records("a")
    assert (first.record, first.reason) == (record_of("a", 9), "broken")
    assert (second.record, "behind" in second.reason) == (record_of("a", 10), True)
    assert records.records("b") == []


def test_discarding_the_first_leaves_the_rest_parked() -> None:
    """The others wait until they are redriven, and so does what comes later; the mark tells why."""
    store = MemoryStore()
    parking = parked(store, 1, 2)
    records = ParkedRecords(store, "it")
    records.discard_first("a", Position(1))
    assert parking.append(record_of("a", 3))
    assert "discarded" in records.keys()[0].reason
    recorder = Recorder()
    assert records.redrive("a", recorder) == 2
    assert [record.data for record in recorder.records] == [b"a2", b"a3"]


def test_discarding_the_only_one_frees_the_key() -> None:
    """Where nothing is left behind, no mark stays to stop what comes."""
    store = MemoryStore()
    parking = parked(store, 1)
    ParkedRecords(store, "it").discard_first("a", Position(1))
    assert left(store) == []
    assert not parking.append(record_of("a", 2))


def test_an_arrival_during_a_discard_keeps_the_key_parked() -> None:
    """A record that is appended just before the write is neither lost nor left without a mark."""
    arrivals: list[int] = []

    def fault(operation: str, writes: object) -> None:
        if operation == "transact" and arrivals:
            assert parking.append(record_of("a", arrivals.pop()))

    store = MemoryStore(fault)
    parking = parked(store, 1)
    arrivals.append(2)
    ParkedRecords(store, "it").discard_first("a", Position(1))
    assert [one.record.data for one in ParkedRecords(store, "it").records("a")] == [b"a2"]
    assert parking.count() == 1


def test_nothing_is_discarded_unseen() -> None:
    """Only the record that was looked at goes; if another one is the first by now, all stay."""
    store = MemoryStore()
    parking = parked(store, 1, 2)
    with pytest.raises(NotFirstError, match="nothing was discarded"):
        ParkedRecords(store, "it").discard_first("a", Position(2))
    with pytest.raises(NotFirstError):
        ParkedRecords(store, "it").discard_first("free", Position(1))
    assert parking.count() == 2


def test_a_redrive_that_fell_asleep_lifts_no_younger_mark() -> None:
    """Two persons redrive; the slower one wakes when the key was freed and is parked again by others."""
    store = MemoryStore()
    parking = parked(store, 1)
    asleep = store.get(PARKING.name, "it", "a")
    assert asleep is not None
    ParkedRecords(store, "it").redrive("a", Recorder())
    parking.park(record_of("a", 2), "broken")
    with pytest.raises(ConditionFailedError):
        store.transact([lifted("it", asleep, ARRIVAL)])
    assert StoredParking(store, "it", lambda: ARRIVAL).count() == 1
    assert parking.append(record_of("a", 3))
    (key,) = ParkedRecords(store, "it").keys()
    assert (key.reason, key.count) == ("broken", 2)


def test_a_lifted_mark_expires_and_one_that_stands_does_not() -> None:
    """Marks of keys that were freed do not pile up; a key that is parked again is not forgotten."""
    store = MemoryStore()
    parking = parked(store, 1)
    ParkedRecords(store, "it", lambda: ARRIVAL).redrive("a", Recorder())
    mark = store.get(PARKING.name, "it", "a")
    assert mark is not None
    assert mark.attributes["expires_at"] == int(ARRIVAL.timestamp()) + 30 * 86_400
    parking.park(record_of("a", 2), "broken")
    mark = store.get(PARKING.name, "it", "a")
    assert mark is not None
    assert "expires_at" not in mark.attributes
