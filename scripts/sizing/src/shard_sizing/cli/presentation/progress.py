"""Progress of long work, on the terminal's error stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import Progress

SHOWN_AFTER: Final = 2.0
"""Seconds of work before a bar is shown: what is quicker needs none."""

_REPEAT_SECONDS: Final = 30.0


@contextmanager
def progress(
    what: str,
    total: float,
    *,
    shown: bool = True,
    console: Console | None = None,
    timer: Callable[[float, Callable[[], None]], Timer] = Timer,
) -> Iterator[Callable[[float], None]]:
    """Show a bar while the body runs, if the console is a terminal and it takes more than two seconds.

    Args:
        what: What goes on.
        total: How much there is to do.
        shown: Whether a bar is wanted at all (``--no-progress``).
        console: Where to show it; by default the error stream.
        timer: Makes a timer that calls a function after some seconds, as ``threading.Timer``.

    Yields:
        A callable that adds what was done.
    """
    console = console or Console(stderr=True)
    if not shown or not console.is_terminal:
        yield lambda _: None
        return
    bar = Progress(console=console, transient=True)
    task = bar.add_task(what, total=total)
    start = timer(SHOWN_AFTER, bar.start)
    start.daemon = True
    start.start()
    try:
        yield lambda done: bar.advance(task, done)
    finally:
        start.cancel()
        start.join()
        bar.stop()


class Waiting:
    """Shows steps that wait for another system: a bar on a terminal, lines in a log, never silence.

    Args:
        what: What goes on.
        total: How many steps there are.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._bar = Progress(console=Console(stderr=True))
        self._task = self._bar.add_task(what, total=total)
        self._said = ("", 0.0)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End to show."""
        self._bar.stop()

    def done(self, line: str) -> None:
        """Report a step that is done."""
        self._bar.console.print(line, soft_wrap=True, markup=False, highlight=False)
        self._bar.advance(self._task)
        self._bar.update(self._task, description=self._what)
        self._said = ("", 0.0)

    def waiting(self, why: str, seconds: float) -> None:
        """Report what is waited for; in a log once at the start and then every half minute."""
        self._bar.update(self._task, description=f"{self._what}: {why}, {seconds:,.0f} s")
        said, at = self._said
        if not self._bar.console.is_terminal and (why != said or seconds - at >= _REPEAT_SECONDS):
            self._bar.console.print(f"waiting: {why}, {seconds:,.0f} s", soft_wrap=True, markup=False)
            self._said = (why, seconds)
