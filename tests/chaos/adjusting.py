"""An operator who receives goods and corrects counts while orders run, by the command, through every fault.

A command that fails may have been carried out, so it is repeated under its key, as the operations guide says.

::

    orderstream stock receive SKU 7 --key K ──> fails ──> the same again ──> 7 received, once
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.streams import Message
from orderstream.messages import initial_event_id

NAME: Final = "operator"
"""Whose calls they are: of a person with rights of their own, not of a process with a role."""

OPENED: Final = 200
"""Units that the demo opens the stock of each SKU with."""

_PATIENCE: Final = 120.0
_PAUSE: Final = 0.5
_REFUSED: Final = "reserved for orders"
"""Said of a correction that would take what orders have reserved: a reply, not a failure."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Stock that the operator has moved, by what the command said.

    Attributes:
        sku: Whose stock.
        units: What was added; below 0 where it was taken off.
        key: The key of the call.
    """

    sku: str
    units: int
    key: str

    @property
    def identity(self) -> tuple[str, str]:
        """Source and id of its event."""
        return "inventory", initial_event_id("inventory", NAME, self.key)


class AdjustingOperator:
    """Runs the commands beside what else happens, each until it has a reply.

    Args:
        environment: The variables that the command is run with.
        skus: Looks which SKUs have stock.
    """

    def __init__(self, environment: Mapping[str, str], skus: Callable[[], Sequence[str]]) -> None:
        self._environment = dict(environment)
        self._skus = skus
        self._calls: list[threading.Thread] = []
        self.done: list[Adjustment] = []
        self.failed: list[str] = []
        """What the commands said that had no reply in time."""
        self.attempts = 0

    def begin(self, units: int, place: float) -> None:
        """Adjust the stock of one SKU.

        Args:
            units: What to add: above 0 goods that have arrived, below 0 a correction.
            place: Which SKU of those that there are, from 0 to below 1.
        """
        key = f"chaos-{len(self._calls)}"
        call = threading.Thread(target=self._adjust, args=(units, place, key), name=key)
        self._calls.append(call)
        call.start()

    def rest(self) -> None:
        """Wait until each call has its reply."""
        for call in self._calls:
            call.join()

    def _adjust(self, units: int, place: float, key: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not (skus := self._skus()) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        sku = skus[int(place * len(skus))]
        what = ("receive", sku, str(units)) if units > 0 else ("correct", sku, f"--by={units}")
        said = ""
        while time.monotonic() < deadline:
            self.attempts += 1
            call = subprocess.run(
                [
                    *(sys.executable, "-m", "orderstream_workers.cli.main", "stock", *what, "--aws"),
                    *("--operator", NAME, "--reason", "chaos", "--key", key),
                ],
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if call.returncode == 0:
                self.done.append(Adjustment(sku, units, key))
                return
            said = " ".join((call.stdout + call.stderr).split())
            if _REFUSED in said:
                return
            time.sleep(_PAUSE)
        self.failed.append(f"stock {' '.join(what)} had no reply: {said[-500:]}")


def adjustment_violations(
    done: Sequence[Adjustment], stock: Mapping[str, Mapping[str, Any]], messages: Sequence[Message]
) -> Iterator[str]:
    """What of the operator's work is not in the stock, or not in the stream, or more than once.

    Args:
        done: What the commands said was done.
        stock: The rows of the stock table, by SKU.
        messages: Those of the orders' stream.
    """
    for sku, row in stock.items():
        wanted = OPENED + sum(each.units for each in done if each.sku == sku)
        if row["initial"] != wanted:
            yield f"stock {sku}: {row['initial']} received by the books, {wanted} by the operator"
    for each in done:
        told = {message.body for message in messages if message.identity == each.identity}
        if len(told) != 1:
            yield f"stock {each.sku}: {len(told)} events of the adjustment {each.key}, by their bytes"
        for message in messages:
            if message.identity == each.identity and message.envelope["data"]["units"] != each.units:
                yield f"stock {each.sku}: {message.said} is not the {each.units} units of {each.key}"
