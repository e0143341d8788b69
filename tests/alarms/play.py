"""Plays faults against the alarms: exactly the expected ones ring for each, and none in a healthy month.

::

    make alarms
    make alarms FAULT="a poison record" MONTH=60
    make alarms FAULT=none MINUTE=10

Each fault lasts until its alarms ring, and three minutes more. Then it is mended, and all alarms have to go
back to OK by themselves; meanwhile an application that comes back may be behind. Exit status 0 only if every
fault fires what ``matrix.json`` says, neither less nor more, and all is quiet again after each.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import msgspec

from alarms.faults import FAULTS, Fault
from alarms.flow import month
from alarms.mutants import survivors
from alarms.world import MINUTE, World, running

MATRIX: Final = Path(__file__).with_name("matrix.json")
"""By fault, the names of the alarms that it fires."""

RATE: Final = 5.0
"""Orders a second of the healthy month."""

_HEALTHY: Final = "a healthy month"
_NO_FAULT: Final = "none"
_RATE_BESIDE_FAULTS: Final = 1.0
_LINGER_MINUTES: Final = 3
_QUIET_SECONDS: Final = 300.0
_QUIET_MINUTES: Final = 5
_CATCHING_UP: Final = ("-behind", "-stuck")
"""What may ring after a fault: until whoever comes back has caught up, which takes as long as it takes."""

_MINUTES_AFTER_THE_MONTH: Final = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a fault has fired.

    Attributes:
        fault: Its name.
        rang: The alarms that rang.
        missing: Those that should have, and did not.
        extra: Those that should not have.
        stays: Those that did not go back to OK once the fault was mended.
        planted: The mutants that rang while it lasted.
        seconds: How long it took until all of them rang.
    """

    fault: str
    rang: frozenset[str]
    missing: frozenset[str]
    extra: frozenset[str]
    stays: frozenset[str]
    planted: frozenset[str]
    seconds: float

    @property
    def good(self) -> bool:
        """Whether all was as expected."""
        return not (self.missing or self.extra or self.stays)

    @property
    def line(self) -> str:
        """For a person."""
        wrong = [f"MISSING {name}" for name in sorted(self.missing)]
        wrong += [f"NOT EXPECTED {name}" for name in sorted(self.extra)]
        wrong += [f"STILL IN ALARM {name}" for name in sorted(self.stays)]
        return f"{self.fault}: {len(self.rang)} rang in {self.seconds:.0f} s" + "".join(
            f"\n  {each}" for each in wrong
        )


class Row(msgspec.Struct, frozen=True):
    """What a fault fires.

    Attributes:
        fires: The names of its alarms.
        may: Patterns of those that may ring as well, depending on how fast the machine is.
        seen: The day on which a run last fired exactly these; empty where none has yet.
    """

    fires: frozenset[str]
    may: tuple[str, ...] = ()
    seen: str = ""

    def allows(self, name: str) -> bool:
        """Whether an alarm may ring."""
        return name in self.fires or any(fnmatch(name, pattern) for pattern in self.may)


def expected() -> dict[str, Row]:
    """The matrix, by fault."""
    return msgspec.json.decode(MATRIX.read_bytes(), type=dict[str, Row])


def play(world: World, fault: Fault, row: Row) -> Verdict:
    """Let a fault happen, mend it, and see what rang.

    Args:
        world: Orders flow in it. What is in ALARM already is not this fault's.
        fault: The fault.
        row: What it should fire.
    """
    before = world.look()
    world.rang.clear()
    world.planted.clear()
    began = time.monotonic()
    took = fault.at_most
    try:
        with fault.strike(world):
            world.watch(fault.at_most, lambda rang: row.fires <= rang - before)
            took = time.monotonic() - began
            world.watch(_LINGER_MINUTES * world.minute, lambda _: False)
    except TimeoutError as error:
        print(f"{fault.name} could not be played: {error}", flush=True)  # its alarms are missing, then
    rang, planted = frozenset(world.rang) - before, frozenset(world.planted)
    stays = world.watch_until_quiet(_QUIET_SECONDS, _QUIET_MINUTES)
    late = frozenset(name for name in world.rang - before if not name.endswith(_CATCHING_UP))
    extra = frozenset(name for name in rang | late if not row.allows(name))
    return Verdict(fault.name, rang, row.fires - rang, extra, stays, planted, took)


def healthy(world: World, limit: int | None) -> Verdict:
    """Play the month, and see that nothing rings.

    Args:
        world: No order flows in it yet.
        limit: Invoices; None for all.
    """
    began = time.monotonic()
    world.flow.start(RATE, month(limit))
    while world.flow.running:
        world.watch(1.0, lambda _: False)
    world.watch(_MINUTES_AFTER_THE_MONTH * world.minute, lambda _: False)
    seconds = time.monotonic() - began
    rang, nothing = frozenset(world.rang), frozenset[str]()
    return Verdict(_HEALTHY, rang, nothing, rang, nothing, frozenset(world.planted), seconds)


def campaign(
    home: Path, faults: Sequence[Fault], invoices: int | None, minute: float = MINUTE
) -> tuple[list[Verdict], list[str]]:
    """Play the month and then faults in one environment.

    Args:
        home: Folder of its files.
        faults: What goes wrong.
        invoices: How many of the month; None for all.
        minute: Seconds that a minute lasts.

    Returns:
        The verdicts, and the mutants of the alarms concerned that none of it has told from the real ones.
    """
    matrix, verdicts = expected(), []
    with running(home, minute=minute) as world:
        verdicts.append(healthy(world, invoices))
        print(verdicts[-1].line, dict(world.flow.statuses), flush=True)
        world.flow.stop()
        world.flow.start(_RATE_BESIDE_FAULTS)
        for fault in faults:
            verdicts.append(play(world, fault, matrix[fault.name]))
            print(verdicts[-1].line, flush=True)
    wanted = {
        verdict.fault: matrix[verdict.fault].fires if verdict.fault in matrix else frozenset()
        for verdict in verdicts
    }
    rang = {verdict.fault: verdict.planted for verdict in verdicts}
    return verdicts, survivors(world.mutants, wanted, rang)


def main() -> int:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description="Fire every alarm by a real fault.")
    names = [fault.name for fault in FAULTS]
    parser.add_argument(
        "--fault", action="append", choices=[*names, _NO_FAULT], default=[], help="by default all of them"
    )
    parser.add_argument("--month", type=int, default=0, help="invoices of the healthy month; 0 for all")
    parser.add_argument("--out", type=Path, help="folder of the environment; by default one that is deleted")
    parser.add_argument("--minute", type=float, default=MINUTE, help="seconds that a minute lasts, 1 to 60")
    given = parser.parse_args()
    chosen = [fault for fault in FAULTS if not given.fault or fault.name in given.fault]
    with tempfile.TemporaryDirectory(prefix="alarms-") as folder:
        verdicts, alive = campaign(
            given.out or Path(folder) / "home", chosen, given.month or None, given.minute
        )
    print(*(f"planted, and not found: {name}" for name in alive), sep="\n")
    return 1 if alive or not all(verdict.good for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
