"""The leases of one stream, among what an application's lease table holds.

An adoption deletes the leases of the former stream. But a worker of that one may have sent a creation before,
and the network may deliver it long after: such a row says of the new stream's shard what was meant of another
one. So each lease that is created bears the stream that it is made for::

    the row bears    it is
    our stream       a lease
    none             a lease: KCL made it, or an earlier version; it bears ours from its next write on
    another stream   no lease, and deleted — by the worker whose stream is still the application's

A worker that still runs for the former stream sees the new one's leases as those of another, and must not
touch them; nor may it begin with a shard of the new stream, which Kinesis lists to it under the same name. So
before a lease is deleted, created or taken, the application's note of its stream is read again.

KCL reads no such mark: every row of the table is a lease to it. So leases of former streams that no worker
has begun are deleted before a daemon of KCL runs. One that arrives later is not seen.
"""

import logging
from typing import Final

from msgspec.structs import replace

from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import Lease, LeaseTable
from orderstream_consumer.engines.stream_identity import ConsumedStream, StreamChangedError
from orderstream_consumer.processing.processor import StopSignal

logger = logging.getLogger(__name__)

_NO_TABLE: Final = "ResourceNotFoundException"
_RETRY_PAUSE: Final = 2.0

_TRIES: Final = 3
"""Creations of one lease, if a worker of a former stream puts its own there each time."""


class StreamLeases:
    """Implements ``LeaseTable``, for the stream that was confirmed.

    Args:
        table: Where the leases are.
        consumed: The stream; nothing is asked of the leases before it has been confirmed.
    """

    def __init__(self, table: LeaseTable, consumed: ConsumedStream) -> None:
        self._table = table
        self._consumed = consumed

    def create_table(self) -> None:
        """See ``LeaseTable.create_table``."""
        self._table.create_table()

    def list_leases(self) -> list[Lease]:
        """See ``LeaseTable.list_leases``; those of other streams are deleted.

        Raises:
            StreamChangedError: Another stream was adopted since ours was confirmed.
            DependencyError: The leases or the store could not be reached.
        """
        found = self._table.list_leases()
        former = [lease for lease in found if not self._is_ours(lease)]
        if former:
            self._consumed.demand_noted()
        for lease in former:
            self._delete(lease)
        return [self._bearing(lease) for lease in found if self._is_ours(lease)]

    def get(self, lease_key: str) -> Lease | None:
        """See ``LeaseTable.get``; that of another stream is none."""
        lease = self._table.get(lease_key)
        return self._bearing(lease) if lease is not None and self._is_ours(lease) else None

    def create_if_absent(self, lease: Lease) -> bool:
        """See ``LeaseTable.create_if_absent``; one of another stream makes room.

        Raises:
            DependencyError: The leases or the store could not be reached, or another stream is noted there.
        """
        self._demand_ours("create")
        lease = self._bearing(lease)
        for _ in range(_TRIES):
            if self._table.create_if_absent(lease):
                return True
            found = self._table.get(lease.lease_key)
            if found is None:
                continue
            if self._is_ours(found):
                return False
            try:
                self._consumed.demand_noted()
            except StreamChangedError:
                return False  # it is we who are of a former stream
            self._delete(found)
        raise DependencyError("lease table", "create", "a worker of a former stream puts its own lease there")

    def replace(self, held: Lease, successor: Lease) -> bool:
        """See ``LeaseTable.replace``.

        Raises:
            DependencyError: The leases or, for a lease that is taken, the store could not be reached, or
                another stream is noted there.
        """
        if successor.lease_owner not in (None, held.lease_owner):
            self._demand_ours("take")
        return self._table.replace(held, successor)

    def delete(self, lease: Lease) -> bool:
        """See ``LeaseTable.delete``."""
        return self._table.delete(lease)

    def sweep(self, stop: StopSignal) -> bool:
        """Delete what former streams left, before a daemon of KCL runs, which knows no streams of leases.

        Outages are waited out. A lease that a worker of KCL has taken already is left: its checkpoint may be
        of the stream that is there.

        Args:
            stop: Ends the wait.

        Returns:
            False if we had to stop before.

        Raises:
            StreamChangedError: Another stream was adopted since ours was confirmed.
        """
        while not stop.is_set():
            try:
                self._sweep()
            except DependencyError as error:
                if error.code == _NO_TABLE:
                    return True  # the daemon makes it
                logger.warning("leases of former streams not looked for", extra={"error": error})
                stop.wait(_RETRY_PAUSE)
            else:
                return True
        return False

    def _sweep(self) -> None:
        former = [lease for lease in self._table.list_leases() if not self._is_ours(lease)]
        if former:
            self._consumed.demand_noted()
        for lease in former:
            if lease.lease_counter:
                fields = {"shard_id": lease.lease_key, "stream": lease.stream}
                logger.error("a worker of KCL has begun a lease of another stream", extra=fields)
            else:
                self._delete(lease)

    def _demand_ours(self, operation: str) -> None:
        """See that our stream is still the application's; ``ConsumedStream`` ends the worker if it is not."""
        try:
            self._consumed.demand_noted()
        except StreamChangedError as error:
            raise DependencyError("lease table", operation, "another stream was adopted meanwhile") from error

    def _delete(self, former: Lease) -> None:
        if self._table.delete(former):
            fields = {"shard_id": former.lease_key, "stream": former.stream}
            logger.warning("lease of another stream deleted", extra=fields)

    def _is_ours(self, lease: Lease) -> bool:
        return lease.stream in (None, self._consumed.confirmed.text)

    def _bearing(self, lease: Lease) -> Lease:
        return replace(lease, stream=self._consumed.confirmed.text) if lease.stream is None else lease
