"""Where archived objects are kept, and the one thing asked of it: the first writer of a name wins."""

import threading
from collections.abc import Iterator, Mapping
from typing import Protocol


class ObjectStore(Protocol):
    """Keeps objects under names; an object never changes."""

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an object unless there is one of that name.

        Args:
            key: Its name.
            body: Its content.
            metadata: Short ASCII texts beside it, by lower-case name.

        Returns:
            False if there is an object of that name.

        Raises:
            DependencyError: it is unknown whether it is stored; asking again is safe.
        """

    def metadata(self, key: str) -> Mapping[str, str]:
        """The metadata of an object that is there.

        Raises:
            DependencyError: it could not be read.
        """

    def read(self, key: str) -> bytes:
        """The content of an object that is there.

        Raises:
            DependencyError: it could not be read.
        """

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with a prefix, ascending.

        Raises:
            DependencyError: they could not be listed.
        """


class MemoryObjectStore:
    """Keeps objects until the process ends: for tests and simulations."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """See ``ObjectStore.put_if_absent``."""
        with self._lock:
            if key in self._objects:
                return False
            self._objects[key] = (body, dict(metadata))
            return True

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``ObjectStore.metadata``."""
        return self._objects[key][1]

    def read(self, key: str) -> bytes:
        """See ``ObjectStore.read``."""
        return self._objects[key][0]

    def names(self, prefix: str = "") -> Iterator[str]:
        """See ``ObjectStore.names``."""
        return iter(sorted(key for key in self._objects if key.startswith(prefix)))
