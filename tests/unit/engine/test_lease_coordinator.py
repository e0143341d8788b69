"""What a coordinator does with many leases, and how often it looks."""

import threading

import pytest

from fakes.engine_processor import FaultyLeaseTable
from fakes.metrics import Recorded
from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import Lease, LeaseCoordinator
from orderstream_consumer.testing import MemoryLeaseTable


class SlowTable(MemoryLeaseTable):
    """Answers a write only once so many writes are under way, as far as the coordinator lets them be."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.meeting: threading.Barrier | None = None
        self._together = together

    def slow_down(self) -> None:
        self.meeting = threading.Barrier(self._together)

    def replace(self, held: Lease, successor: Lease) -> bool:
        if self.meeting is not None:
            self.meeting.wait(20)
        return super().replace(held, successor)


def coordinator_of(table: MemoryLeaseTable, leases: int) -> LeaseCoordinator:
    coordinator = LeaseCoordinator(table, worker_id="me", failover_time=10, clock=lambda: 0.0)
    for number in range(leases):
        table.create_if_absent(Lease(lease_key=f"s{number:03d}"))
    assert len(coordinator.take()) == leases
    return coordinator


def test_leases_are_measured_by_the_names_that_kcl_has_for_it() -> None:
    """What is free and wanted at each look, and how renewals go: one that fails, and one that is refused."""
    table, meter, now = FaultyLeaseTable(), Recorded(), 0.0
    coordinator = LeaseCoordinator(table, worker_id="me", failover_time=10, clock=lambda: now, meter=meter)
    for name, owner in (("free", None), ("held", "other"), ("gone", "dead")):
        table.create_if_absent(Lease(lease_key=name, lease_owner=owner))
    assert [owned.key for owned in coordinator.take()] == ["free"]
    now = 5.0
    coordinator.renew()
    now = 11.0
    (held,) = (lease for lease in table.list_leases() if lease.lease_key == "held")
    table.replace(held, held.renewed())
    assert [owned.key for owned in coordinator.take()] == ["gone"]
    assert meter.values["ExpiredLeases",] == [1, 1]
    assert meter.values["LeasesToTake",] == [1, 1]
    faults = iter([True, False])
    table.fails_before = lambda: next(faults, False)
    coordinator.renew()
    assert sorted(meter.values["RenewLease.Success",]) == [0, 1, 1]
    assert len(meter.values["RenewLease.Time",]) == 3
    coordinator.close()


def test_renewals_do_not_wait_for_each_other() -> None:
    """A slow table is written to by several threads: here no write ends before eight have begun."""
    table = SlowTable(together=8)
    coordinator = coordinator_of(table, 64)
    table.slow_down()
    coordinator.renew()
    assert {lease.lease_counter for lease in table.list_leases()} == {2}
    coordinator.close()


def test_a_renewal_that_fails_keeps_no_other_from_being_made() -> None:
    """Each is tried, whatever becomes of its neighbours."""
    table = FaultyLeaseTable()
    coordinator = coordinator_of(table, 40)
    faults = iter([True] * 3)
    lock = threading.Lock()

    def fails() -> bool:
        with lock:
            return next(faults, False)

    table.fails_before = fails
    coordinator.renew()
    assert sorted(lease.lease_counter for lease in table.list_leases()) == [1] * 3 + [2] * 37
    coordinator.close()


class BrokenRow(MemoryLeaseTable):
    """Fails on each third lease in a way that nobody foresaw."""

    broken = False

    def replace(self, held: Lease, successor: Lease) -> bool:
        if self.broken and int(held.lease_key[1:]) % 3 == 0:
            raise IndexError(held.lease_key)
        return super().replace(held, successor)


def test_an_unforeseen_failure_is_told_whichever_thread_meets_it(caplog: pytest.LogCaptureFixture) -> None:
    """It keeps no other lease from being renewed, and is swallowed by no thread."""
    table = BrokenRow()
    coordinator = coordinator_of(table, 40)
    table.broken = True
    coordinator.renew()
    assert sorted(lease.lease_counter for lease in table.list_leases()) == [1] * 14 + [2] * 26
    assert sum(record.exc_info is not None for record in caplog.records) == 14
    coordinator.close()


def test_a_worker_that_holds_everything_is_alone() -> None:
    """Then it need not look often; ended leases do not count, another worker's do."""
    table = MemoryLeaseTable()
    coordinator = coordinator_of(table, 2)
    assert not coordinator.alone
    assert coordinator.take() == []
    assert coordinator.alone
    table.create_if_absent(Lease(lease_key="x", lease_owner="you", checkpoint="SHARD_END"))
    coordinator.take()
    assert coordinator.alone
    table.create_if_absent(Lease(lease_key="y", lease_owner="you"))
    coordinator.take()
    assert not coordinator.alone


def test_a_table_that_cannot_be_read_says_nothing() -> None:
    """What was known of the others stays."""
    table = FaultyLeaseTable()
    coordinator = coordinator_of(table, 1)
    coordinator.take()
    table.is_down = lambda: True
    with pytest.raises(DependencyError):
        coordinator.take()
    assert coordinator.alone
