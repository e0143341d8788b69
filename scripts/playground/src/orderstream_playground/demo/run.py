"""One run from the file to the reconciled books."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import msgspec
from rich.console import Console

from orderstream.errors import DependencyError
from orderstream_consumer.engines.config import Engine
from orderstream_playground.demo.books import Check, open_books, reconcile
from orderstream_playground.demo.errors import PlayError
from orderstream_playground.demo.invoices import CALLER, read_invoices
from orderstream_playground.demo.offers import OfferBook
from orderstream_playground.demo.output import Output
from orderstream_playground.demo.parts import Parts, connected
from orderstream_playground.demo.play import Tally, play
from orderstream_playground.demo.progress import Snapshot, shown
from orderstream_playground.demo.summary import Timings, cpu_figures, end_to_end, outcome_counts, versions
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.issuer import AsCaller, LocalIssuer
from orderstream_playground.local.lifecycle import EnvironmentState, down, is_up, read_state, up

_STALL: Mapping[Engine, float] = {"embedded": 180.0, "kcl": 1200.0}
"""Seconds in which nothing moves after which a run is given up. KCL assigns no lease for two and a half
minutes after the worker that leads the others was killed, and the leader recreates a missing lease when its
audit, every two minutes, has missed it three times in a row; a killed leader's successor counts from one."""

_CALM = 4.0
"""Seconds of rest that count as the end: longer than a quiet shard is left unread."""

_PAUSES = (0.5, 2.0)
"""Shortest and longest pause between two looks for what is at rest, in seconds."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be played.

    Attributes:
        orders: File of order lines.
        limit: Invoices to offer; None for all.
        stock: Units of each SKU at the start.
        options: What shapes the environment.
        home: Folder of the environment.
        out: Folder of the output.
        scratch: Folder for temporary files.
        progress: Whether to show progress.
    """

    orders: Path
    limit: int | None
    stock: int
    options: EnvironmentOptions
    home: Path
    out: Path
    scratch: Path
    progress: bool


def run(job: Run, console: Console) -> list[Check]:
    """Play the orders, wait until everything has come to rest, and reconcile.

    Args:
        job: What is to be played.
        console: Where progress is shown.

    Returns:
        The checks of the books.

    Raises:
        OrderstreamError: the file cannot be read, the environment does not start, or the run stalls.
    """
    # A file that cannot be read at all is better refused before anything is started.
    next(read_invoices(job.orders, 1), None)
    with (
        _environment(job, console) as state,
        connected(Layout(job.home, state.options), state) as parts,
        open_books(job.scratch / "books.sqlite") as database,
    ):
        console.print(f"playing {job.orders}")
        offers, tally, output = OfferBook(database), Tally(), Output(job.out, database)
        cpu_before = {process.name: process.cpu_seconds() for process in state.processes}
        timings = Timings(clock=time.monotonic)
        with shown(console, partial(_look, parts, tally, timings), job.progress):
            asyncio.run(_offer(job, parts, offers, tally))
            timings.offered_all()
            _wait_for_rest(parts, tally, timings)
            cpu = cpu_figures(state.processes, cpu_before, tally.accepted)
        output.write_orders(offers, parts.endings())
        output.write_stock(parts.stock_levels())
        output.write_ledger(parts.ledger())
        output.write_archive(parts.archive)
        mails, alerts = output.write_notifications(parts.mails(), parts.alerts())
        dead_letters = parts.dead_letters()
        checks = reconcile(database, dead_letters)
        output.write_summary(
            {
                "balanced": all(check.balances for check in checks),
                "counts": {
                    "offered": tally.offered,
                    "accepted": tally.accepted,
                    "rejected": tally.rejected,
                    **outcome_counts(database),
                    "mails": mails,
                    "alerts": alerts,
                },
                "dead_letters": dead_letters,
                "payments": {
                    "throttled_429": parts.payments_throttled(),
                    "provider": parts.provider_stats(),
                },
                "timings": timings.figures(tally.accepted) | end_to_end(database),
                "cpu": cpu,
                "options": msgspec.to_builtins(state.options) | {"stock": job.stock},
                "versions": versions(),
            }
        )
        return checks


@contextmanager
def _environment(job: Run, console: Console) -> Iterator[EnvironmentState]:
    state = read_state(job.home)
    if state is not None and is_up(state):
        if state.options != job.options:
            raise PlayError(
                f"the environment in {job.home} was started as {state.options}; start the demo with the same "
                "options, or stop it first with `orderstream local down`"
            )
        yield state
        return
    with console.status("starting") as status:
        state = up(job.home, job.options, status.update)
    try:
        yield state
    finally:
        with console.status("stopping; the workers drain first"):
            down(job.home)


async def _offer(job: Run, parts: Parts, offers: OfferBook, tally: Tally) -> None:
    caller = AsCaller(LocalIssuer.of(job.home), CALLER)
    async with httpx.AsyncClient(base_url=parts.layout.api_url, timeout=30.0, auth=caller) as http:
        await play(
            read_invoices(job.orders, job.limit),
            book=offers,
            http=http,
            seed_stock=partial(parts.seed_stock, units=job.stock),
            open_orders=parts.open_orders,
            tally=tally,
        )


def _wait_for_rest(parts: Parts, tally: Tally, timings: Timings) -> None:
    """Wait until every order has ended and every consequence of that has been processed.

    Args:
        parts: The environment.
        tally: What was offered.
        timings: Records when the last reservation was completed.

    Raises:
        PlayError: nothing has moved for a long time.
    """
    last, since = None, time.monotonic()
    stall = _STALL[parts.layout.options.engine]
    while True:
        looked_at = time.monotonic()
        unrest = _unrest(parts, tally.accepted)
        looked_for = time.monotonic() - looked_at
        if unrest != last:
            last, since = unrest, time.monotonic()
        if unrest is None or unrest.reservations_completed:
            timings.reservations_completed()
        calm = time.monotonic() - since
        if unrest is None and calm >= _CALM:
            return
        if calm >= stall:
            raise PlayError(
                f"nothing has moved for {stall:g} s: {unrest}; the workers' logs are in {parts.layout.logs}"
            )
        time.sleep(pause_after(looked_for))


def pause_after(looked_for: float) -> float:
    """How long to wait before the next look, in seconds: a look reads all of the stock, beside busy workers.

    Args:
        looked_for: How long the last one took, in seconds.
    """
    shortest, longest = _PAUSES
    return min(max(shortest, 4 * looked_for), longest)


@dataclass(frozen=True, slots=True)
class _Unrest:
    what: str
    reservations_completed: bool = False

    def __str__(self) -> str:
        return self.what


def _unrest(parts: Parts, accepted: int) -> _Unrest | None:
    """What has not come to rest, the earliest in the pipeline first; None if nothing is left."""
    try:
        return _seen_unrest(parts, accepted)
    except DependencyError as error:
        return _Unrest(f"{error.dependency} did not complete {error.operation}")  # it is asked again


def _seen_unrest(parts: Parts, accepted: int) -> _Unrest | None:
    counts = parts.counts()
    ended = counts.confirmed + counts.cancelled
    if ended < max(accepted, counts.orders):
        return _Unrest(f"{ended} of {max(accepted, counts.orders)} orders have ended")
    if reserved := parts.reserved_units():
        return _Unrest(f"{reserved} units are still reserved")
    if parts.changes_waiting():
        return _Unrest("changes of stock are on their way", reservations_completed=True)
    if silent := parts.silent_applications():
        return _Unrest(f"{', '.join(silent)} cannot be asked how far they are", reservations_completed=True)
    if behind := parts.consumers_behind():
        return _Unrest(
            f"{behind} shards have not been read to their end by every application",
            reservations_completed=True,
        )
    return None


def _look(parts: Parts, tally: Tally, timings: Timings) -> Snapshot:
    counts = parts.counts()
    return Snapshot(
        doing="waiting for the last orders" if tally.done else "playing",
        seconds=timings.elapsed(),
        offered=tally.offered,
        accepted=tally.accepted,
        reserved=counts.reserved,
        paid=counts.paid,
        shipped=counts.shipped,
        confirmed=counts.confirmed,
        cancelled=counts.cancelled,
        lag_millis=parts.lag_millis(),
        sample_order=tally.sample_order,
        sample_story=parts.story(tally.sample_order) if tally.sample_order else (),
    )
