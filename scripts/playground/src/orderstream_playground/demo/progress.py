"""What a person sees while orders are played: counts, lag, and where one sample order is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

_EVERY = 0.5
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far the run is.

    Attributes:
        doing: What is being done, in words.
        seconds: Since the first order was offered.
        offered: Invoices offered.
        accepted: Orders accepted.
        reserved: Orders whose stock was reserved.
        paid: Orders whose payment was captured.
        shipped: Orders that were shipped.
        confirmed: Orders that ended well.
        cancelled: Orders that were cancelled and undone.
        lag_millis: How far the slowest consumer is behind the stream, in milliseconds; None while unknown.
        sample_order: The order that is followed.
        sample_story: What has happened to it, oldest first.
    """

    doing: str
    seconds: float = 0.0
    offered: int = 0
    accepted: int = 0
    reserved: int = 0
    paid: int = 0
    shipped: int = 0
    confirmed: int = 0
    cancelled: int = 0
    lag_millis: int | None = None
    sample_order: str | None = None
    sample_story: tuple[str, ...] = ()

    def counts(self) -> dict[str, str]:
        """The figures, by the name under which they are shown."""
        return {
            "offered": str(self.offered),
            "accepted": str(self.accepted),
            "reserved": str(self.reserved),
            "paid": str(self.paid),
            "shipped": str(self.shipped),
            "confirmed": str(self.confirmed),
            "cancelled": str(self.cancelled),
            "stream lag": "-" if self.lag_millis is None else f"{self.lag_millis / 1000:.1f} s",
        }


def render(snapshot: Snapshot) -> RenderableType:
    """The display of one moment."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for name in snapshot.counts():
        table.add_column(name, justify="right")
    table.add_row(*snapshot.counts().values())
    lines: list[RenderableType] = [Text(f"{snapshot.doing} ({snapshot.seconds:.0f} s)", style="bold"), table]
    if snapshot.sample_order:
        story = " > ".join(snapshot.sample_story) or "on its way"
        lines.append(Text(f"order {snapshot.sample_order}: {story}", style="cyan"))
    return Group(*lines)


@contextmanager
def shown(console: Console, look: Callable[[], Snapshot], enabled: bool) -> Iterator[None]:
    """Show progress while the body runs.

    Args:
        console: Where to; what is no terminal gets a plain line every ten seconds.
        look: Gives the present state; called from a thread of its own.
        enabled: False shows nothing.
    """
    if not enabled:
        yield
        return
    over = threading.Event()
    show = _live if console.is_terminal else _plain
    display = threading.Thread(target=show, args=(console, look, over), name="progress")
    display.start()
    try:
        yield
    finally:
        over.set()
        display.join()


def _live(console: Console, look: Callable[[], Snapshot], over: threading.Event) -> None:
    with Live(render(look()), console=console, auto_refresh=False) as live:
        while not over.wait(_EVERY):
            live.update(render(look()), refresh=True)
        live.update(render(look()), refresh=True)


def _plain(console: Console, look: Callable[[], Snapshot], over: threading.Event) -> None:
    while not over.wait(10.0):
        snapshot = look()
        figures = ", ".join(f"{name} {value}" for name, value in snapshot.counts().items())
        console.print(f"{snapshot.doing} ({snapshot.seconds:.0f} s): {figures}", soft_wrap=True)
