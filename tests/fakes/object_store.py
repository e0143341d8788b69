"""An object store in memory, as strict as S3."""

import threading
from collections.abc import Iterator, Mapping

from orderstream_workers.services.archiver.objects import check_object


class MemoryObjectStore:
    """Keeps objects until the process ends: for tests and simulations."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """See ``ObjectStore.put_if_absent``."""
        check_object(key, metadata)
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

    def folders(self) -> Iterator[str]:
        """See ``ObjectStore.folders``."""
        return iter(sorted({key.partition("/")[0] + "/" for key in self._objects if "/" in key}))

    def names(self, prefix: str = "") -> Iterator[str]:
        """See ``ObjectStore.names``."""
        return iter(sorted(key for key in self._objects if key.startswith(prefix)))
