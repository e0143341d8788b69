"""Kills each process in each of its named windows while orders flow, and judges the books.

A window is a moment that is seen from outside; one that was not hit is a failure, like books that do not
balance. Exit status 0 only if there is neither::

    make crash-windows
"""

import argparse
import csv
import gzip
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from chaos.clients import client_of
from chaos.gateway import Gateway
from chaos.invariants import Inspection
from chaos.replay import at_rest
from chaos.supervisor import Supervisor
from chaos.traces import redelivered, trace_violations
from chaos.windows import COMMITTED, PLANTED_SORT, Window, chunk_windows, flow_windows
from e2e.running import INVOICES, free_base_port, orderstream
from orderstream_playground.local.environment import EnvironmentOptions

LONGEST_ORDER = "537434"
"""The invoice with the most lines of all: 675, of 673 different goods."""

LONGEST_LINES = 673
CHUNK = 25

_SETTINGS = {
    "ORDERSTREAM_FAILOVER_SECONDS": "2",
    "ORDERSTREAM_UNSERVED_COUNTRIES": "Germany,France,EIRE,Norway",
}
_PATIENCE = 420.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Some orders, and the windows that they pass.

    Attributes:
        name: What a person calls it.
        wanted: Which invoices are played, by number and country, in the file's order.
        most: How many of them at most.
        windows: Where processes are killed.
        decline_percent: Share of the orders whose charge is declined.
        stock: Units of each SKU.
        plants_timer: Whether a timer is to be due before its time.
    """

    name: str
    wanted: Callable[[str, str], bool]
    most: int
    windows: Sequence[Window]
    decline_percent: int = 0
    stock: int = 1_000
    plants_timer: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario came to.

    Attributes:
        scenario: It.
        hit: The windows that were hit.
        balanced: Whether demo and reconciliation found the books balanced, and every invariant holds.
        printed: What they said.
        seconds: How long it took.
    """

    scenario: Scenario
    hit: Sequence[Window]
    balanced: bool
    printed: str
    seconds: float

    @property
    def missed(self) -> list[Window]:
        """The windows in which nobody died."""
        return [window for window in self.scenario.windows if window not in self.hit]


def flow(most: int = 120, each: int = 9) -> Scenario:
    """The windows of an ordinary day: some orders are declined, some run out of stock, some go nowhere.

    Args:
        most: Invoices.
        each: Windows of a process at most, its first ones; its own restarts take the time.
    """
    passed: Counter[str] = Counter()
    windows = []
    for window in flow_windows():
        passed[window.process] += 1
        if passed[window.process] <= each:
            windows.append(window)
    return Scenario(
        "flow", lambda _, country: True, most, windows, decline_percent=20, stock=120, plants_timer=True
    )


def reservation(boundaries: slice = slice(None)) -> Scenario:
    """The boundaries between the chunks of the longest order's reservation."""
    return Scenario(
        "reservation",
        lambda number, _: number == LONGEST_ORDER,
        1,
        chunk_windows(LONGEST_LINES, CHUNK, release=False)[boundaries],
    )


def release(boundaries: slice = slice(None)) -> Scenario:
    """The same for its release, after its charge was declined."""
    return Scenario(
        "release",
        lambda number, _: number == LONGEST_ORDER,
        1,
        chunk_windows(LONGEST_LINES, CHUNK, release=True)[boundaries],
        decline_percent=100,
    )


def play(scenario: Scenario, folder: Path, base_port: int = 0) -> Outcome:
    """Play a scenario's orders to their end while its windows are hit, then judge.

    Args:
        scenario: It.
        folder: For all of its files.
        base_port: The first of its loopback ports; 0 finds some.
    """
    began = time.monotonic()
    home, out, orders = folder / "home", folder / "out", folder / "orders.csv"
    _write_orders(orders, scenario)
    options = EnvironmentOptions(
        base_port=base_port or free_base_port(),
        decline_percent=scenario.decline_percent,
        payments_per_second=10,
    )
    with Gateway() as gateway:
        supervisor = Supervisor(home, options, gateway, _SETTINGS)
        supervisor.up()
        try:
            supervisor.arm(scenario.windows)
            with (folder / "demo.log").open("w") as log:
                demo = subprocess.Popen(_demo(home, orders, out, options, scenario), stdout=log, stderr=log)
                try:
                    _until_ended(demo, supervisor, plants_timer=scenario.plants_timer)
                finally:
                    demo.kill()
                    demo.wait()
            with Inspection(supervisor.layout.kinesis_url, supervisor.layout.aws_url) as inspection:
                wrong = at_rest(inspection.violations)
        finally:
            supervisor.down()
    wrong += trace_violations(home, supervisor.kills)
    wrong += _unmarked(supervisor.hit, redelivered(home))
    judged = _judge(orders, out, scenario) if demo.returncode == 0 else None
    told = [
        (folder / "demo.log").read_text(),
        judged.stdout if judged else "the demo did not end well",
        *wrong,
    ]
    printed = "\n".join(told)
    balanced = judged is not None and judged.returncode == 0 and not wrong
    return Outcome(scenario, supervisor.hit, balanced, printed, time.monotonic() - began)


def _unmarked(hit: Sequence[Window], marked: Counter[str]) -> list[str]:
    """Processes that were killed between commit and publication, where no span says that it came again."""
    again = {window.process for window in hit if window.name == COMMITTED}
    return [
        f"{process} was killed, and no span is marked as redelivered" for process in again - marked.keys()
    ]


def _until_ended(demo: subprocess.Popen[bytes], supervisor: Supervisor, *, plants_timer: bool) -> None:
    deadline = time.monotonic() + _PATIENCE
    while demo.poll() is None and time.monotonic() < deadline:
        supervisor.supervise()
        if plants_timer:
            plants_timer = not _plant_timer(supervisor.layout.aws_url)
        with suppress(subprocess.TimeoutExpired):
            demo.wait(timeout=0.2)


def _plant_timer(aws_url: str) -> bool:
    """Let one of the waiting timers be due at once, beside its own time; False if none waits."""
    dynamodb = client_of("dynamodb", aws_url)
    try:
        rows = dynamodb.scan(TableName="orderstream-saga-timers")["Items"]
        for row in rows[:1]:
            dynamodb.put_item(TableName="orderstream-saga-timers", Item={**row, "sk": {"S": PLANTED_SORT}})
        return bool(rows)
    finally:
        dynamodb.close()


def _write_orders(file: Path, scenario: Scenario) -> None:
    with gzip.open(INVOICES, "rt", encoding="utf-8", newline="") as source, file.open("w") as target:
        rows = csv.DictReader(source)
        assert rows.fieldnames
        writer = csv.DictWriter(target, rows.fieldnames)
        writer.writeheader()
        left = scenario.most
        for number, lines in groupby(rows, key=lambda row: row["InvoiceNo"]):
            invoice = list(lines)
            if left and scenario.wanted(number, invoice[0]["Country"]):
                writer.writerows(invoice)
                left -= 1


def _demo(home: Path, orders: Path, out: Path, options: EnvironmentOptions, scenario: Scenario) -> list[str]:
    return orderstream(
        *(home, options.base_port, "demo", "--orders", str(orders), "--out", str(out), "--no-progress"),
        *("--stock", str(scenario.stock), "--decline-percent", str(options.decline_percent)),
        *("--payments-per-second", str(options.payments_per_second)),
    )


def _judge(orders: Path, out: Path, scenario: Scenario) -> subprocess.CompletedProcess[str]:
    script = Path(__file__).parents[1] / "e2e" / "reconcile.py"
    return subprocess.run(
        [
            *(sys.executable, str(script), "--orders", str(orders), "--out", str(out)),
            *("--decline-percent", str(scenario.decline_percent)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def _print(outcome: Outcome) -> None:
    verdict = "balanced" if outcome.balanced else "NOT BALANCED"
    print(f"{outcome.scenario.name}: {outcome.seconds:.0f} s, {verdict}")
    for window in outcome.scenario.windows:
        hit = "hit" if window in outcome.hit else "NOT HIT"
        print(f"  {window.process:15} {window.name:45} {hit:8} {verdict}")
    if not outcome.balanced:
        print(outcome.printed)


def main() -> int:
    """Read the command line and play the scenarios."""
    scenarios: dict[str, Callable[[], Scenario]] = {"flow": flow}
    for part in range(3):
        # A run of them all would take longer than a demo waits for an order to end.
        boundaries = slice(9 * part, 9 * part + 9)
        scenarios[f"reservation-{part + 1}"] = partial(reservation, boundaries)
        scenarios[f"release-{part + 1}"] = partial(release, boundaries)
    parser = argparse.ArgumentParser(description="Kill every process in every named window.")
    parser.add_argument("scenarios", nargs="*", choices=[*scenarios, []], help="all by default")
    parser.add_argument("--base-port", type=int, default=0, help="first loopback port")
    given = parser.parse_args()
    failed = 0
    for name in given.scenarios or scenarios:
        folder = Path(tempfile.mkdtemp(prefix=f"crash-windows-{name}-"))
        outcome = play(scenarios[name](), folder, given.base_port)
        _print(outcome)
        if outcome.balanced and not outcome.missed:
            shutil.rmtree(folder)
        else:
            failed += 1
            print(f"its files are in {folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
