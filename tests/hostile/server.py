"""A server that responds as it is told, over real sockets: one thread, and one more for each connection."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from chaos.calls import Call, call_of
from chaos.http1 import Message
from hostile.responses import Delivery, Odd

_SLOW_BYTES: Final = 32
_SLOW_SECONDS: Final = 0.001
"""Between two pieces: long enough for the caller to see each by itself."""

Respond = Callable[[Call], Odd]
"""What is sent for a request."""


@dataclass(slots=True)
class HostileServer:
    """Serves on a port of the loopback interface while it is entered.

    Attributes:
        respond: Chooses the response to each request; may be exchanged at any time.
        calls: Every request so far.
    """

    respond: Respond
    calls: list[Call]
    _listener: socket.socket
    _open: set[socket.socket]

    def __init__(self, respond: Respond | Odd | None = None) -> None:
        self.calls = []
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.say(respond or Odd("nothing"))

    def say(self, respond: Respond | Odd) -> None:
        """Respond with this from now on."""
        fixed = respond
        self.respond = (lambda _: fixed) if isinstance(fixed, Odd) else fixed

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Start to serve."""
        threading.Thread(target=self._accept, name="hostile", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop: every connection ends."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), name="hostile", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as reader:
            while (request := _read(connection, reader)) is not None:
                call = call_of("hostile", request)
                self.calls.append(call)
                if not _send(connection, reader, self.respond(call), request.start.startswith("HEAD ")):
                    break
        self._open.discard(connection)


def _read(connection: socket.socket, reader: Any) -> Message | None:
    start = reader.readline().decode("latin-1").strip()
    if not start:
        return None
    pairs = []
    while line := reader.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        pairs.append((name.strip().lower(), value.strip()))
    head = Message(start, tuple(pairs))
    if head.header("expect") == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if head.header("transfer-encoding") == "chunked":
        body = _read_chunks(reader)
    else:
        body = reader.read(int(head.header("content-length") or 0))
    return head.with_body(body)


def _read_chunks(reader: Any) -> bytes:
    chunks = []
    while size := int(reader.readline().split(b";")[0], 16):
        chunks.append(reader.read(size))
        reader.readline()
    while reader.readline().strip():
        pass
    return b"".join(chunks)


def _send(connection: socket.socket, reader: Any, odd: Odd, bodiless: bool) -> bool:
    """Send a response; False where the connection ends with it."""
    lines = [f"HTTP/1.1 {odd.status} Said", *(f"{name}: {value}" for name, value in odd.headers)]
    head = "\r\n".join([*lines, f"content-length: {len(odd.body)}", "", ""]).encode()
    body = b"" if bodiless else odd.body
    match odd.delivery:
        case Delivery.WHOLE:
            connection.sendall(head + body)
            return True
        case Delivery.SLOW:
            whole = head + body
            for start in range(0, len(whole), _SLOW_BYTES):
                connection.sendall(whole[start : start + _SLOW_BYTES])
                time.sleep(_SLOW_SECONDS)
            return True
        case Delivery.CUT:
            connection.sendall(head + body[: len(body) // 2])
            # Of a response without a body nothing is cut off: its caller will use the connection again.
            return not body
        case Delivery.CUT_HEAD:
            connection.sendall(head[: len(head) // 2])
        case Delivery.GARBAGE:
            connection.sendall(odd.body)
        case Delivery.SILENT:
            reader.read(1)  # the caller's end of patience, or its next request, which nobody will get
        case Delivery.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case Delivery.HANG_UP:
            pass
    return False
