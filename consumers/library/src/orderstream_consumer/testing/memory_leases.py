"""Leases in memory, for tests and for workers that live in one process."""

import threading

from orderstream_consumer.engines.embedded.leases.lease import Lease


class MemoryLeaseTable:
    """A lease table in memory; may be shared by threads."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def create_table(self) -> None:
        """See ``LeaseTable.create_table``; there is nothing to create."""

    def list_leases(self) -> list[Lease]:
        """See ``LeaseTable.list_leases``."""
        with self._lock:
            return list(self._leases.values())

    def get(self, lease_key: str) -> Lease | None:
        """See ``LeaseTable.get``."""
        with self._lock:
            return self._leases.get(lease_key)

    def create_if_absent(self, lease: Lease) -> bool:
        """See ``LeaseTable.create_if_absent``."""
        with self._lock:
            return self._leases.setdefault(lease.lease_key, lease) is lease

    def replace(self, held: Lease, successor: Lease) -> bool:
        """See ``LeaseTable.replace``."""
        with self._lock:
            found = self._leases.get(held.lease_key)
            if found is None or not found.is_that_of(held):
                return False
            self._leases[held.lease_key] = successor
            return True

    def delete(self, lease: Lease) -> bool:
        """See ``LeaseTable.delete``."""
        with self._lock:
            found = self._leases.get(lease.lease_key)
            if found is None or not found.is_that_of(lease):
                return False
            del self._leases[lease.lease_key]
            return True
