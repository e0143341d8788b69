"""Stands between each of our processes and what it works with: spoils answers, and notices moments.

::

    worker ── own port ──> gateway ──> ministack, the Kinesis fake, the Payments API
                             │
                             ├─ Guard      a refusal of what the caller's role does not allow
                             ├─ decide()   a seeded fault instead of, or after, the call
                             └─ Watch      a moment: the call or its reply has been seen, nobody else has yet

Each caller has a port for each of its servers, so that a call tells who makes it. HTTP/1.1 only.
"""

import asyncio
import threading
from asyncio import AbstractServer, IncompleteReadError, StreamReader, StreamWriter
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from time import monotonic
from typing import Self
from urllib.parse import urlsplit

from chaos.calls import Call, Reply, call_of
from chaos.deliveries import Deliveries
from chaos.faults import Action, Fault, Rates, decide
from chaos.guard import Guard
from chaos.http1 import Message, read_head, read_request_body, read_response
from hostile.responses import Delivery, Odd
from orderstream_playground.local.processes import ProcessSpec

_LARGEST_HEAD = 1 << 20
_SLOW_BYTES = 32
_SLOW_SECONDS = 0.001
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS", "ORDERSTREAM_PAYMENTS_API_URL")


@dataclass(slots=True)
class Watch:
    """Waits for a moment, once.

    Attributes:
        when: Sees each call and, as soon as it is there, its reply (None before it is passed on). True once
            is the moment: from then on nothing more of this call is passed on, in either direction, and
            every connection of the caller ends.
        then: Is called in that moment, with the name of the caller; must not block.
        hit: Set when it has come.
    """

    when: Callable[[Call, Reply | None], bool]
    then: Callable[[str], None]
    hit: threading.Event = field(default_factory=threading.Event)


class _HangupError(Exception):
    """The caller's connection ends without a response."""


class Gateway:
    """One thread that serves every port.

    Args:
        seed: Of every caller's own source of chance.
        rates: How often what goes wrong, at first.
        guard: Refuses what a caller's role does not allow; None refuses nothing.
    """

    def __init__(self, seed: int = 0, rates: Rates | None = None, guard: Guard | None = None) -> None:
        self._seed = seed
        self.rates = rates or Rates()
        self._guard = guard
        self.injected: Counter[str] = Counter()
        self._watches: list[Watch] = []
        self._outages: dict[tuple[str, str | None], float] = {}
        self.alter: Callable[[Call, Message], Message] | None = None
        """Changes a response that a server has given, before anything else is done to it."""
        self.refuses: Callable[[Call], bool] | None = None
        """Hangs up on the calls of which it says so."""
        self._random: dict[str, Random] = {}
        self._deliveries: dict[str, Deliveries] = {}
        self._ports: dict[tuple[str, str], int] = {}
        self._servers: list[AbstractServer] = []
        self._connections: dict[asyncio.Task[None], str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End every connection and free every port."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def rewire(self, spec: ProcessSpec) -> ProcessSpec:
        """Let a process reach its servers through here alone; HTTP/2 clients cannot."""
        if spec.emulator:
            return spec
        kept = dict(spec.environment)
        for variable in _ENDPOINTS:
            if variable in kept:
                kept[variable] = self.url(spec.name, kept[variable])
        return replace(spec, environment=kept)

    def url(self, caller: str, server: str) -> str:
        """Where a caller reaches a server; the same at each call."""
        key = (caller, server)
        if key not in self._ports:
            self._ports[key] = asyncio.run_coroutine_threadsafe(
                self._listen(caller, server), self._loop
            ).result(timeout=10)
        return f"http://127.0.0.1:{self._ports[key]}"

    def watch(self, when: Callable[[Call, Reply | None], bool], then: Callable[[str], None]) -> Watch:
        """Wait for a moment."""
        watch = Watch(when, then)
        self._watches = [*self._watches, watch]
        return watch

    def forget(self, watch: Watch) -> None:
        """Wait for a moment no longer."""
        self._watches = [other for other in self._watches if other is not watch]

    def outage(self, service: str, seconds: float, caller: str | None = None) -> None:
        """Hang up on every call to a service from now on, for so long; 0 seconds end it.

        Args:
            service: As in ``Call``.
            seconds: How long.
            caller: Whose calls; None for everybody's.
        """
        self._outages[service, caller] = monotonic() + seconds

    async def _listen(self, caller: str, server: str) -> int:
        address = urlsplit(server)
        assert address.hostname
        assert address.port

        async def serve(reader: StreamReader, writer: StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self._connections[task] = caller
            line = _Line(address.hostname or "", address.port or 0)
            try:
                while await self._exchange(caller, line, reader, writer):
                    pass
            except (_HangupError, IncompleteReadError, ConnectionError, asyncio.CancelledError):
                pass  # the caller has gone, its server has, or it is to believe so: closing says all there is
            finally:
                line.close()
                writer.close()
                del self._connections[task]

        listener = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_LARGEST_HEAD)
        self._servers.append(listener)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    async def _exchange(self, caller: str, line: "_Line", reader: StreamReader, writer: StreamWriter) -> bool:
        head = await read_head(reader)
        if head is None:
            return False
        if head.header("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = await read_request_body(reader, head)
        call = call_of(caller, request)
        self._notice(call, None)
        bodiless = request.start.startswith("HEAD ")
        if self._guard is not None and (refusal := self._guard.refusal(call)) is not None:
            writer.write(refusal.encode(bodiless=bodiless))
            await writer.drain()
            return True
        action = self._decide(call)
        if action.status:
            response = _response(action)
        elif action.odd is not None and action.fault is Fault.ODD:
            return await _send_odd(writer, action.odd, bodiless=bodiless)
        else:
            response = await line.ask(request)
            if self.alter is not None:
                response = self.alter(call, response)
            self._notice(call, Reply(response.status, response.body))
            if action.odd is not None:
                return await _send_odd(writer, action.odd, bodiless=bodiless)
            response = self._spoil(call, action, response)
        writer.write(response.encode(bodiless=bodiless))
        await writer.drain()
        return True

    def _notice(self, call: Call, reply: Reply | None) -> None:
        for watch in self._watches:
            if watch.when(call, reply):
                self.forget(watch)
                watch.then(call.caller)
                watch.hit.set()
                self._hang_up(call.caller)
                raise _HangupError

    def _hang_up(self, caller: str) -> None:
        """End the other connections of a caller too: what is under way is not its heir's."""
        for task, owner in self._connections.items():
            if owner == caller and task is not asyncio.current_task():
                task.cancel()

    def _decide(self, call: Call) -> Action:
        now = monotonic()
        is_away = any(now < self._outages.get((call.service, who), 0.0) for who in (None, call.caller))
        if is_away or (self.refuses is not None and self.refuses(call)):
            self._count(call, Fault.OUTAGE)
            raise _HangupError
        random = self._random.setdefault(call.caller, Random(f"{self._seed}/{call.caller}"))
        action = decide(call, random, self.rates)
        if action.status or action.odd is not None:
            self._count(call, action.fault)
        return action

    def _spoil(self, call: Call, action: Action, response: Message) -> Message:
        """Do to a response what is to be done; what cannot be done to this one is not counted."""
        if action.fault is Fault.LOST_ACK:
            self._count(call, action.fault)
            raise _HangupError
        if (call.service, call.operation, response.status) != ("sqs", "ReceiveMessage", 200):
            return response
        if call.caller not in self._deliveries:
            self._deliveries[call.caller] = Deliveries(Random(f"{self._seed}/{call.caller}/deliveries"))
        deliveries = self._deliveries[call.caller]
        most = call.arguments.get("MaxNumberOfMessages", 1)
        match action.fault:
            case Fault.DUPLICATE:
                other = deliveries.again(response.body, most)
            case Fault.DISORDER:
                other = deliveries.shuffled(response.body)
            case _:
                deliveries.remember(response.body)
                return response
        if other is None:
            return response
        self._count(call, action.fault)
        return response.with_body(other)

    def _count(self, call: Call, fault: Fault) -> None:
        self.injected[f"{call.service}:{fault}"] += 1

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        connections = list(self._connections)
        for task in connections:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*connections, return_exceptions=True)
        await asyncio.sleep(0)


class _Line:
    """A connection to a server, opened when it is needed first, or again after the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._open: tuple[StreamReader, StreamWriter] | None = None

    async def ask(self, request: Message) -> Message:
        if self._open is None or self._open[0].at_eof():
            self.close()
            self._open = await asyncio.open_connection(self._host, self._port, limit=_LARGEST_HEAD)
        reader, writer = self._open
        writer.write(request.encode())
        await writer.drain()
        response = await read_response(reader, bodiless=request.start.startswith("HEAD "))
        if response.header("connection") == "close":
            self.close()
        return response

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _response(action: Action) -> Message:
    kind = ("content-type", "application/x-amz-json-1.0")
    return Message(f"HTTP/1.1 {action.status} Fault", (kind,), action.body)


async def _send_odd(writer: StreamWriter, odd: Odd, *, bodiless: bool) -> bool:
    """Send what is no response, or the part of it that arrives; False where the connection ends with it."""
    response = Message(f"HTTP/1.1 {odd.status} Odd", odd.headers, odd.body)
    whole = response.encode(bodiless=bodiless)
    match odd.delivery:
        case Delivery.WHOLE:
            writer.write(whole)
            await writer.drain()
            return True
        case Delivery.SLOW:
            for start in range(0, len(whole), _SLOW_BYTES):
                writer.write(whole[start : start + _SLOW_BYTES])
                await writer.drain()
                await asyncio.sleep(_SLOW_SECONDS)
            return True
        case Delivery.CUT:
            writer.write(whole[: len(whole) - len(odd.body) // 2])
        case Delivery.CUT_HEAD:
            writer.write(whole[: len(whole) // 4])
        case Delivery.GARBAGE:
            writer.write(odd.body)
        case Delivery.RESET:
            writer.transport.abort()
        case _:
            pass
    return False
