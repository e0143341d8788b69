"""Redrive: what is parked is carried out in order, and the key runs freely only when nothing is left."""

import pytest

from fakes.engine import ARRIVAL, record_of
from orderstream.errors import DependencyError
from orderstream_workers.engine.delivery import PARKING, StoredParking
from orderstream_workers.engine.record import DeliveredRecord
from orderstream_workers.store import Fault, MemoryStore


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


def parked(store: MemoryStore, *numbers: int) -> StoredParking:
    parking = StoredParking(store, "it", lambda: ARRIVAL)
    parking.park(record_of("a", numbers[0]), "broken")
    for number in numbers[1:]:
        assert parking.append(record_of("a", number))
    return parking


def test_all_is_carried_out_in_order_and_the_mark_is_lifted() -> None:
    """The records come back as they were, positions and all, and the table is empty afterwards."""
    store = MemoryStore()
    parking = parked(store, 9, 10, 100)
    recorder = Recorder()
    assert parking.redrive("a", recorder) == 3
    assert recorder.records == [record_of("a", number) for number in (9, 10, 100)]
    assert not parking.is_parked("a")
    assert list(store.scan(PARKING.name)) == []


def test_a_body_in_many_parts_comes_back_whole() -> None:
    """Parts are put together in their order, ten and more of them too."""
    store = MemoryStore()
    parking = StoredParking(store, "it", lambda: ARRIVAL)
    body = b"".join((n * 2654435761 % 2**32).to_bytes(4) for n in range(900_000))
    parking.park(record_of("a", 1, body), "broken")
    assert len(store.query(PARKING.name, "it/a")) > 10
    recorder = Recorder()
    parking.redrive("a", recorder)
    assert recorder.records == [record_of("a", 1, body)]


def test_what_arrives_meanwhile_is_carried_out_too() -> None:
    """A record that is appended during a redrive is not left behind without a mark."""
    store = MemoryStore()
    parking = parked(store, 1)
    recorder = Recorder(lambda: parking.append(record_of("a", 2)))
    assert parking.redrive("a", recorder) == 2
    assert parking.count() == 0


def test_a_record_that_fails_again_stays_with_its_followers() -> None:
    """The redrive ends with the handler's error; nothing is lost, and the key stays parked."""
    parking = parked(MemoryStore(), 1, 2, 3)
    with pytest.raises(ValueError, match="still broken"):
        parking.redrive("a", Recorder(None, ValueError("still broken")))
    assert parking.count() == 2
    assert parking.is_parked("a")
    recorder = Recorder()
    parking.redrive("a", recorder)
    assert [record.data for record in recorder.records] == [b"a2", b"a3"]


def test_a_lost_acknowledgement_is_made_up_for() -> None:
    """A redrive that is called again after an outage goes on where it stopped."""
    faults: list[Fault] = []
    store = MemoryStore(lambda operation, _: faults.pop() if faults and operation == "transact" else None)
    parking = parked(store, 1, 2)
    faults.append(Fault.AFTER)
    with pytest.raises(DependencyError):
        parking.redrive("a", Recorder())
    recorder = Recorder()
    parking.redrive("a", recorder)
    assert [record.data for record in recorder.records] == [b"a2"]
    assert list(store.scan(PARKING.name)) == []


def test_after_a_redrive_an_owner_processes_again() -> None:
    """An owner that still believes in the mark learns from its next append that it is gone."""
    store = MemoryStore()
    owner = parked(store, 1)
    StoredParking(store, "it", lambda: ARRIVAL).redrive("a", Recorder())
    assert owner.is_parked("a")
    assert not owner.append(record_of("a", 2))
    assert not owner.is_parked("a")
