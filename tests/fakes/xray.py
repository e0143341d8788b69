"""AWS X-Ray's daemon on the loopback interface: it keeps the documents that it receives by UDP."""

import json
import socket
import threading
from pathlib import Path
from typing import Any, Final, Self

import jsonschema

HEADER: Final = b'{"format":"json","version":1}'
LARGEST: Final = 64_000

_VALIDATOR: Final = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parent / "xray_segment.schema.json").read_text(encoding="utf-8"))
)


class XRayDaemon:
    """A context manager. What is no valid document of X-Ray ends its body with an error.

    Attributes:
        address: Where it listens, ``HOST:PORT``.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._datagrams: list[bytes] = []
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._datagrams_so_far()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def documents(self) -> list[dict[str, Any]]:
        """Everything that was sent so far, by the time of its begin."""
        read = [document_of(datagram) for datagram in self._datagrams_so_far()]
        return sorted(read, key=lambda document: document["start_time"])

    def sizes(self) -> dict[str, int]:
        """By trace, the bytes of all its documents."""
        sizes: dict[str, int] = {}
        for datagram in self._datagrams_so_far():
            trace_id = document_of(datagram)["trace_id"]
            sizes[trace_id] = sizes.get(trace_id, 0) + len(datagram.partition(b"\n")[2])
        return sizes

    def _datagrams_so_far(self) -> list[bytes]:
        mark = b"mark"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as marking, self._arrived:
            # On one machine datagrams come in the order of their sending: behind the mark, all are there.
            marking.sendto(mark, self._socket.getsockname())
            assert self._arrived.wait_for(lambda: mark in self._datagrams, timeout=30)
            self._datagrams = [datagram for datagram in self._datagrams if datagram != mark]
            return list(self._datagrams)

    def _run(self) -> None:
        while datagram := self._socket.recv(1 << 16):
            with self._arrived:
                self._datagrams.append(datagram)
                self._arrived.notify_all()


def document_of(datagram: bytes) -> dict[str, Any]:
    """The document of a datagram; it is valid."""
    header, _, document = datagram.partition(b"\n")
    assert header == HEADER
    assert len(document) <= LARGEST
    found: dict[str, Any] = json.loads(document, parse_constant=_refused)
    _VALIDATOR.validate(found)
    assert found["end_time"] >= found["start_time"]
    return found


def _refused(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
