"""Serves an ASGI application over HTTP until it is stopped, and lets no half request hold it up.

A connection::

    connected ──first bytes──> half a request ──head and body are there──> answered ──┐
        │                          │   ^                                              │
        └── too late ──> closed <──┘   └────────────── next request ──────────────────┘

uvicorn itself closes connections that are idle between two requests, and waits without end for the rest of a
request that has begun.
"""

import asyncio
import contextlib
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from orderstream_consumer.health.listening import ListenError

REQUEST_SECONDS: Final = 30.0
"""Seconds from a connection, or from the first byte of its next request, until a request must be whole."""

MOST_HALF_REQUESTS: Final = 256
"""Connections whose request is not there whole; beyond it the oldest is closed."""

_BACKLOG: Final = 2_048
_TIMED_OUT: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def serve(app: Callable[..., Any], host: str, port: int, stop: threading.Event) -> None:
    """Serve until ``stop`` is set; requests that are under way are completed first.

    Args:
        app: The ASGI application.
        host: Address to listen on.
        port: TCP port.
        stop: Set to end it. Signals are the caller's business.

    Raises:
        ListenError: the address cannot be had.
    """
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            app,
            http=partial(BoundedProtocol, half=HalfRequests()),  # type: ignore[arg-type] # it calls it
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=10,
        )
        server = _Server(config)
        watcher = threading.Thread(target=server.exit_after, args=(stop,), name="stop", daemon=True)
        watcher.start()
        server.run(sockets=[listener])


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        remedy = "choose another one with --port"
        raise ListenError("the API", host, port, error.strerror or str(error), remedy) from error
    with listener:
        yield listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at its end, and end the process by them."""
        yield

    def exit_after(self, stop: threading.Event) -> None:
        stop.wait()
        self.should_exit = True


class HalfRequests:
    """The connections of one server whose request is not there whole, the oldest first.

    Args:
        seconds: Seconds until a request must be there whole, above 0.
        most: How many there may be, at least 1; beyond it the oldest is closed.
    """

    def __init__(self, seconds: float = REQUEST_SECONDS, most: int = MOST_HALF_REQUESTS) -> None:
        self._seconds = seconds
        self._most = most
        self._waiting: OrderedDict[BoundedProtocol, asyncio.TimerHandle] = OrderedDict()

    def add(self, connection: "BoundedProtocol") -> None:
        """Give a connection its time, unless it has it already."""
        if connection in self._waiting:
            return
        self._waiting[connection] = connection.loop.call_later(self._seconds, connection.give_up)
        if len(self._waiting) > self._most:
            next(iter(self._waiting)).give_up()

    def remove(self, connection: "BoundedProtocol") -> None:
        """The request of a connection is there whole, or the connection has ended."""
        if (timer := self._waiting.pop(connection, None)) is not None:
            timer.cancel()


class BoundedProtocol(H11Protocol):
    """uvicorn's own protocol, which closes a connection whose request does not become whole.

    Args:
        half: Its state while its request is incomplete.
        uvicorns: What uvicorn hands to its protocols.
    """

    def __init__(self, *, half: HalfRequests, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._half = half

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its base
        """Expect a request."""
        super().connection_made(transport)
        self._half.add(self)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        if self._is_whole() or self.transport.is_closing():
            self._half.remove(self)
        else:
            self._half.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._half.remove(self)
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close the connection; where no response is under way, say why."""
        self._half.remove(self)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(_TIMED_OUT)
        self.transport.close()

    def _is_whole(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's own type leaves None out
        return cycle is not None and not cycle.response_complete and not cycle.more_body
