"""Where leases are kept, and how a change of one is made safe against a lost acknowledgement."""

from collections.abc import Callable
from typing import Protocol

from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.processing.errors import LeaseDeletedError, LeaseLostError

Change = Callable[[Lease], Lease]
"""From a lease to its successor, whose counter is one higher."""


class LeaseTable(Protocol):
    """Leases of one application. Every call may raise DependencyError, after which its outcome is unknown."""

    def create_table(self) -> None:
        """Create the table if it is not there yet, and wait until it is usable."""

    def list_leases(self) -> list[Lease]:
        """Read all leases, consistently."""

    def get(self, lease_key: str) -> Lease | None:
        """Read one lease, consistently."""

    def create_if_absent(self, lease: Lease) -> bool:
        """Add a lease; False, and nothing written, if there is one of that key."""

    def replace(self, held: Lease, successor: Lease) -> bool:
        """Write a lease's successor if what is there is still ``held`` (``Lease.is_that_of``); else False.

        Only what differs between the two need be written: so a range of hash keys, which leaves the counter
        as it is, may come in between two writes of the owner.
        """

    def delete(self, lease: Lease) -> bool:
        """Delete a lease if what is there is still ``lease`` (``Lease.is_that_of``); else False."""


def commit(table: LeaseTable, held: Lease, change: Change) -> Lease:
    """Apply a change to a lease; whether an unanswered write was done is found out by reading again.

    What is returned was written after the call began: the lease's holder may count its time from then.

    Args:
        table: Where the lease is.
        held: The lease as we know it.
        change: What to make of it.

    Returns:
        The lease after the change.

    Raises:
        LeaseDeletedError: It is no longer in the table.
        LeaseLostError: Another worker changed it.
        DependencyError: The table could not be reached; the change may or may not have been made. Try again
            with the same ``held``.
    """
    # An earlier write of ours, unanswered then, may have come through: adopt it and go on from there, once.
    # Should it be this very change, it is written again all the same: when the one in the table was made
    # is unknown, and others count from then.
    failure: DependencyError | None = None
    for _ in range(3):
        successor = change(held)
        try:
            if table.replace(held, successor):
                return successor
        except DependencyError as error:
            failure = error
        found = table.get(held.lease_key)
        if found is None:
            raise LeaseDeletedError(held.lease_key)
        if (found.lease_owner, found.lease_counter) == (successor.lease_owner, successor.lease_counter):
            if found.lease_owner is None and _says_the_same(found, successor):
                return found  # no worker relies on it any more
            held = found
        elif found.is_that_of(held):
            raise failure or DependencyError("lease table", "replace", "refused for a reason that is gone")
        else:
            break
    else:
        raise failure or DependencyError("lease table", "replace", "never acknowledged")
    raise LeaseLostError(held.lease_key, "it is not as we wrote it")


def _says_the_same(found: Lease, successor: Lease) -> bool:
    return (found.checkpoint, found.child_shard_ids, found.done_until) == (
        successor.checkpoint,
        successor.child_shard_ids,
        successor.done_until,
    )
