"""How long an order waits for its 202 while 100 callers ask at once, by the local API on the fake.

The environment is a local one whose workers are stopped: the orders API, the fake Kinesis and the emulator of
DynamoDB, which are all that a 202 needs. Each caller has a token and a connection of its own. First each
places an order every two seconds, and a latency is counted from when the order was due, so that a slow
response hides no wait behind it; then each places its next order as soon as the last is taken. Beside the
former stands what the same callers wait for ``/health/live``, at the same pace: the part of machine and
server.
"""

import asyncio
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from orderstream_orders.callers import READ, WRITE
from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_playground.local.issuer import LocalIssuer
from orderstream_playground.local.lifecycle import down, up
from orderstream_playground.local.processes import stop

CALLERS: Final = 100
EVERY: Final = 2.0
"""Seconds between two orders of a caller."""
PACED: Final = 15
"""Orders of a caller at this pace, the first two of which are no part of the figures: connections are new."""
AT_ONCE: Final = 15
"""Orders of a caller as fast as they are taken."""
BASE_PORT: Final = 25870

BODY: Final = msgspec.json.encode(
    {
        "currency": "GBP",
        "country": "United Kingdom",
        "customer": {"customer_id": "17850"},
        "lines": [{"sku": f"8512{n}A", "quantity": 6, "unit_price": "2.55"} for n in range(6)],
    }
)
"""An order of six lines, as the bundled month has them on average."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from request to response.

    Attributes:
        seconds: Each of them.
        lasted: How long all of them took together.
    """

    seconds: list[float]
    lasted: float

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.seconds, n=100, method="inclusive")
        p50, p95, p99 = (f"{cuts[at] * 1_000:.0f}" for at in (49, 94, 98))
        rate = len(self.seconds) / self.lasted
        return f"p50 {p50} ms, p95 {p95} ms, p99 {p99} ms of {len(self.seconds):,} at {rate:.0f} a second"


class Caller:
    """One caller over one connection.

    Args:
        token: Its token.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._orders = 0

    async def connect(self, port: int) -> None:
        """Open the connection."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)

    def order(self) -> bytes:
        """A new order."""
        self._orders += 1
        head = (
            f"POST /orders HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {self._token}\r\n"
            f"Idempotency-Key: {self._orders}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        )
        return head.encode() + BODY

    @staticmethod
    def sign_of_life() -> bytes:
        """A question that needs no dependency."""
        return b"GET /health/live HTTP/1.1\r\nHost: api\r\n\r\n"

    async def ask(self, request: bytes, expected: bytes) -> None:
        """Send a request and read its response."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 " + expected):
            raise SystemExit(f"the API responded with {head.splitlines()[0].decode()}")
        lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        await self._reader.readexactly(int(lengths[0].partition(b":")[2]))


async def paced(callers: list[Caller], ask: Callable[[Caller], bytes], expected: bytes) -> Waits:
    """Each caller asks every two seconds, all of them evenly spread."""
    waits: list[float] = []
    began = time.monotonic() + 0.1

    async def one(number: int, caller: Caller) -> None:
        for turn in range(PACED):
            due = began + (turn + number / CALLERS) * EVERY
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await caller.ask(ask(caller), expected)
            if turn > 1:
                waits.append(time.monotonic() - due)

    await asyncio.gather(*(one(number, caller) for number, caller in enumerate(callers)))
    return Waits(waits, (PACED - 2) * EVERY)


async def at_once(callers: list[Caller]) -> Waits:
    """Each caller places its next order as soon as the last is taken."""
    waits: list[float] = []
    began = time.monotonic()

    async def one(caller: Caller) -> None:
        for _ in range(AT_ONCE):
            asked = time.monotonic()
            await caller.ask(caller.order(), b"202")
            waits.append(time.monotonic() - asked)

    await asyncio.gather(*map(one, callers))
    return Waits(waits, time.monotonic() - began)


async def measured(issuer: LocalIssuer, port: int) -> None:
    """Measure and print."""
    now, life = dt.datetime.now(dt.UTC), dt.timedelta(hours=1)
    callers = [
        Caller(issuer.token(f"caller-{number}", (READ, WRITE), now, life)) for number in range(CALLERS)
    ]
    for caller in callers:
        await caller.connect(port)
    print(f"{CALLERS} callers, load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"/health/live, each every {EVERY:g} s: {await paced(callers, lambda _: _.sign_of_life(), b'200')}")
    print(f"202, each every {EVERY:g} s: {await paced(callers, Caller.order, b'202')}")
    print(f"202, each as soon as the last is taken: {await at_once(callers)}")


def main() -> int:
    """Start the environment, measure, stop it."""
    with tempfile.TemporaryDirectory(prefix="bench-accepted-") as folder:
        home = Path(folder)
        state = up(home, EnvironmentOptions(base_port=BASE_PORT), lambda step: print(f"({step})"))
        try:
            stop([one for one in state.processes if not one.emulator and one.name != "api"])
            (api,) = (one for one in state.processes if one.name == "api")
            asyncio.run(measured(LocalIssuer.of(home), api.port))
        finally:
            down(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
