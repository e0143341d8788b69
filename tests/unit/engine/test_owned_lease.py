"""Lost acknowledgements, expiry and the single writer of a lease."""

from collections.abc import Callable, Iterable

import pytest

from fakes.engine_processor import FaultyLeaseTable
from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.checkpoint import ShardCheckpoints
from orderstream_consumer.engines.embedded.leases import Lease, LeaseCoordinator, OwnedLease, commit
from orderstream_consumer.engines.embedded.lifecycle.stop_signal import ShardStop
from orderstream_consumer.processing.errors import CheckpointRefusedError, LeaseLostError
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import MemoryLeaseTable


def pattern(*faults: bool) -> Callable[[], bool]:
    pending: Iterable[bool] = iter(faults)
    return lambda: next(pending, False)


class Holder:
    """A lease held by "me" over a table with faults, under a clock set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.table = FaultyLeaseTable()
        self.table.create_if_absent(Lease(lease_key="s"))
        taken = commit(self.table, Lease(lease_key="s"), lambda held: held.taken_by("me"))
        self.owned = OwnedLease(self.table, taken, written_at=0.0, failover_time=10, clock=lambda: self.now)

    def stored(self) -> Lease:
        lease = self.table.get("s")
        assert lease is not None
        return lease


def test_a_zombie_creates_no_leases_of_children() -> None:
    """Its successor may have ended them long ago, and made room."""
    holder = Holder()
    commit(holder.table, holder.stored(), lambda held: held.taken_by("you"))
    with pytest.raises(LeaseLostError):
        holder.owned.register_children([Lease(lease_key="child")], frozenset({"child"}))
    assert holder.table.get("child") is None


def test_one_that_freezes_among_the_children_s_leases_creates_no_more() -> None:
    """Its clock alone shows it: nothing is asked."""

    class SlowTable(MemoryLeaseTable):
        now = 0.0

        def create_if_absent(self, lease: Lease) -> bool:
            self.now += 3_600
            return super().create_if_absent(lease)

    table = SlowTable()
    table.create_if_absent(Lease(lease_key="s"))
    taken = commit(table, Lease(lease_key="s"), lambda held: held.taken_by("me"))
    owned = OwnedLease(table, taken, written_at=table.now, failover_time=10, clock=lambda: table.now)
    with pytest.raises(LeaseLostError):
        owned.register_children([Lease(lease_key="a"), Lease(lease_key="b")], frozenset("ab"))
    assert {lease.lease_key for lease in table.list_leases()} == {"s", "a"}


def test_a_lost_acknowledgement_is_resolved_by_reading_again() -> None:
    """A checkpoint whose response is lost counts as done if the table says what was written."""
    holder = Holder()
    holder.table.loses_response = pattern(True)
    holder.owned.checkpoint(Position(7))
    assert holder.owned.lease == holder.stored()
    assert holder.stored().position == Position(7)


def test_a_write_that_never_arrived_is_a_dependency_failure() -> None:
    """The table still holds the old counter, so the write is to be tried again, and then works."""
    holder = Holder()
    holder.table.fails_before = pattern(True)
    with pytest.raises(DependencyError):
        holder.owned.checkpoint(Position(7))
    holder.owned.checkpoint(Position(7))
    assert holder.stored().position == Position(7)


def test_a_renewal_that_came_through_unnoticed_does_not_pass_for_a_checkpoint() -> None:
    """Owner and counter are as the checkpoint would have them, its position is not: it is written again."""
    holder = Holder()
    holder.table.replace(holder.owned.lease, holder.owned.lease.renewed())
    holder.owned.checkpoint(Position(7))
    assert holder.stored().position == Position(7)
    assert holder.stored().lease_counter == 3


def test_a_checkpoint_that_came_through_unnoticed_is_not_taken_back() -> None:
    """Its processor, told that it failed, may do less the next time; the table keeps what was done."""
    holder = Holder()
    holder.table.loses_response = pattern(True)
    holder.table.unreadable = pattern(True)
    with pytest.raises(DependencyError):
        holder.owned.checkpoint(Position(7, 1))
    holder.owned.checkpoint(Position(7, 0))
    assert holder.stored().position == Position(7, 1)


def test_a_renewal_that_came_through_unnoticed_does_not_pass_for_a_later_one() -> None:
    """Others count from when the table was written, so whoever finds an old write of its own writes again."""
    holder = Holder()
    holder.table.loses_response = pattern(True)
    holder.table.unreadable = pattern(True)
    with pytest.raises(DependencyError):
        holder.owned.renew()
    seen = holder.stored()
    holder.now = 9.0
    holder.owned.renew()
    assert holder.stored().lease_counter == seen.lease_counter + 1
    assert holder.owned.expires_at == 19.0


def test_a_release_that_came_through_is_not_written_again() -> None:
    """Nobody counts on a lease without an owner, and somebody may have taken it by now."""
    holder = Holder()
    holder.table.loses_response = pattern(True)
    holder.owned.release()
    assert holder.stored() == Lease(lease_key="s", lease_counter=2, owner_switches_since_checkpoint=1)


def test_a_lease_taken_by_another_is_lost_for_good() -> None:
    """After the first refusal nothing is written any more, even if the lease came back."""
    holder = Holder()
    stolen = commit(holder.table, holder.owned.lease, lambda held: held.taken_by("you"))
    with pytest.raises(LeaseLostError):
        holder.owned.renew()
    assert holder.owned.is_lost()
    with pytest.raises(LeaseLostError):
        holder.owned.checkpoint(Position(7))
    assert holder.stored() == stolen


def test_a_deleted_lease_is_written_again_by_its_owner() -> None:
    """With the checkpoint that the owner knows; unless somebody else has made it anew meanwhile."""
    holder = Holder()
    holder.owned.checkpoint(Position(7))
    holder.table.delete(holder.stored())
    holder.owned.renew()
    assert holder.stored() == holder.owned.lease
    assert holder.stored().position == Position(7)
    holder.table.delete(holder.stored())
    holder.table.create_if_absent(Lease(lease_key="s"))
    with pytest.raises(LeaseLostError):
        holder.owned.renew()
    assert holder.stored().checkpoint == "TRIM_HORIZON"


def test_a_zombie_does_not_put_back_a_lease_that_was_deleted() -> None:
    """Whoever adopts a stream made anew deletes leases that have expired: none may come back with its end."""

    class SlowTable(MemoryLeaseTable):
        now = 0.0

        def replace(self, held: Lease, successor: Lease) -> bool:
            self.now += 3_600
            self._leases.clear()
            return super().replace(held, successor)

    table = SlowTable()
    taken = Lease(lease_key="s", lease_owner="me", checkpoint=Position(7))
    table.create_if_absent(taken)
    owned = OwnedLease(table, taken, written_at=0.0, failover_time=10, clock=lambda: table.now)
    with pytest.raises(LeaseLostError):
        owned.checkpoint("SHARD_END")
    assert table.list_leases() == []


def test_a_lease_expires_by_our_own_clock() -> None:
    """Ten seconds after the last write was sent the lease is lost, although nobody took it, and stays so."""
    holder = Holder()
    stop = ShardStop(holder.owned, lambda: holder.now)
    holder.now = 9.0
    holder.owned.renew()
    holder.now = 19.0
    assert not stop.is_set()
    assert not stop.wait(0)
    holder.now = 19.1
    assert stop.is_set()
    assert stop.wait()
    holder.now = 9.0
    assert stop.is_set()
    with pytest.raises(LeaseLostError):
        holder.owned.renew()


def test_an_unanswered_renewal_prolongs_nothing() -> None:
    """Only what is known to be written keeps a lease."""
    holder = Holder()
    holder.now = 5.0
    holder.table.is_down = lambda: True
    with pytest.raises(DependencyError):
        holder.owned.renew()
    assert holder.owned.expires_at == 10.0


def test_a_taker_whose_response_was_lost_holds_the_lease() -> None:
    """The coordinator resolves its own take, and finds a take that it could not resolve in the next round."""
    table, now = FaultyLeaseTable(), 0.0
    for key in ("a", "b"):
        table.create_if_absent(Lease(lease_key=key))
    coordinator = LeaseCoordinator(table, worker_id="me", failover_time=10, clock=lambda: now)
    table.loses_response = pattern(True, False)
    assert {owned.key for owned in coordinator.take()} == {"a", "b"}
    assert coordinator.take() == []
    coordinator.drop("a")
    (again,) = coordinator.take()
    assert again.lease.lease_counter == 2
    assert again.lease.owner_switches_since_checkpoint == 1


def test_a_checkpointer_is_good_for_one_call() -> None:
    """After its call it refuses; within it never passes what was handed over, and never goes back."""
    holder = Holder()
    checkpoints = ShardCheckpoints(holder.owned)
    with checkpoints.during_call() as early:
        early.checkpoint()
    assert holder.stored().checkpoint == "TRIM_HORIZON"
    checkpoints.hand_over(Position(9, 1))
    with pytest.raises(CheckpointRefusedError):
        early.checkpoint(Position(9))
    with checkpoints.during_call() as checkpointer:
        with pytest.raises(CheckpointRefusedError):
            checkpointer.checkpoint(Position(9, 2))
        checkpointer.checkpoint(Position(9, 0))
        checkpointer.checkpoint(Position(8))
        assert holder.stored().position == Position(9, 0)
        checkpointer.checkpoint()
        assert holder.stored().position == Position(9, 1)
    with checkpoints.during_call(shard_ends=True) as last:
        last.checkpoint()
    assert holder.stored().has_ended


def test_sequence_numbers_compare_as_integers() -> None:
    """A longer sequence number is a later one, whatever its first digit."""
    holder = Holder()
    checkpoints = ShardCheckpoints(holder.owned)
    checkpoints.hand_over(Position(10))
    with checkpoints.during_call() as checkpointer:
        checkpointer.checkpoint(Position(9))
        checkpointer.checkpoint(Position(10))
    assert holder.stored().position == Position(10)


def test_a_confirmation_is_refused_once_another_has_taken_the_lease() -> None:
    """Our own clock says that the lease is ours; the table says otherwise, and the table is right."""
    holder = Holder()
    holder.owned.confirm()
    assert holder.stored().lease_counter == holder.owned.lease.lease_counter
    commit(holder.table, holder.stored(), lambda held: held.taken_by("thief"))
    with pytest.raises(LeaseLostError):
        holder.owned.confirm()
    assert holder.owned.is_lost()


def test_a_shutdown_checkpoints_nothing_of_a_call_that_raised() -> None:
    """Without a position it means the last call that returned; what the broken one did can be named still."""
    holder = Holder()
    checkpoints = ShardCheckpoints(holder.owned)
    checkpoints.hand_over(Position(10))
    with checkpoints.during_call():
        pass
    checkpoints.hand_over(Position(20))
    with pytest.raises(ValueError, match="broken"), checkpoints.during_call():
        raise ValueError("broken")
    with checkpoints.during_call(shuts_down=True) as checkpointer:
        checkpointer.checkpoint()
        assert holder.stored().position == Position(10)
        checkpointer.checkpoint(Position(15))
    assert holder.stored().position == Position(15)
