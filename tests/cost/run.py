"""Prices the orders of the bundled month; ends with 1 where they are 5 % dearer than what is committed.

``python -m cost.run`` compares; ``python -m cost.run --write`` counts anew and writes what is committed: the
figures, and what each message causes, which the pipeline itself reckons with.
"""

import datetime as dt
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from cost.document import DOCUMENT, documented
from cost.figures import Figures, dearer, mean_operations, median_order, rounded, units_per_message
from cost.pipeline import emulated_aws
from cost.play import Played, play
from cost.sample import sample_of_month
from e2e.running import free_base_port
from orderstream.aws.billing import prices_date, unit_prices

REGION: Final = "us-east-1"
COMMITTED: Final = Path(__file__).parent / "committed.json"
PER_MESSAGE: Final = (
    Path(__file__).parents[2] / "consumers/workers/src/orderstream_workers/cost/units-per-message.json"
)


def main() -> int:
    """Play, print, and compare or write."""
    with tempfile.TemporaryDirectory() as folder, emulated_aws(Path(folder), free_base_port()) as settings:
        played = play(settings, sample_of_month())
    if played.differing or not played.checked:
        print("\n".join(["DynamoDB's emulator states other units:", *played.differing[:20]]))
        return 1
    figures = figures_of(played)
    for line in table(figures):
        print(line)
    if "--write" in sys.argv[1:]:
        write(figures, played)
        return 0
    committed = msgspec.json.decode(COMMITTED.read_bytes(), type=Figures)
    found = dearer(figures, committed)
    if found:
        print(f"Dearer than on {committed.date} (make cost WRITE=--write commits what is meant to be so):")
        print("\n".join(found))
    return 1 if found else 0


def figures_of(played: Played) -> Figures:
    """What is compared."""
    prices = unit_prices(REGION)
    assert prices is not None
    return Figures(
        dt.datetime.now(dt.UTC).date().isoformat(),
        REGION,
        prices_date(),
        median_order(played.month, prices),
        rounded(played.largest.usd(prices)),
        rounded(played.smallest.usd(prices)),
        mean_operations(played.month, prices),
    )


def table(figures: Figures) -> list[str]:
    """The figures in a table: millionths of a USD."""
    columns = {
        "median": figures.median,
        "99th percentile": figures.p99,
        "one line": figures.one_line,
    }
    services = sorted({service for usd in columns.values() for service in usd})
    head = f"{'USD a million orders':<22}" + "".join(f"{name:>17}" for name in columns)
    rows = [
        f"{service:<22}" + "".join(f"{usd.get(service, 0.0) * 1e6:17.2f}" for usd in columns.values())
        for service in services
    ]
    total = f"{'total':<22}" + "".join(f"{sum(usd.values()) * 1e6:17.2f}" for usd in columns.values())
    return [head, *rows, total]


def write(figures: Figures, played: Played) -> None:
    """Commit the figures, their tables in the guide, and what each message causes."""
    COMMITTED.write_bytes(_pretty(figures))
    DOCUMENT.write_text(documented(DOCUMENT.read_text(encoding="utf-8"), figures), encoding="utf-8")
    PER_MESSAGE.write_bytes(
        _pretty(
            {
                "schema": "orderstream/units-per-message/1",
                "date": figures.date,
                "made_by": f"make cost WRITE=--write: {len(played.all)} orders, one after another",
                "messages": units_per_message(played.all),
            }
        )
    )


def _pretty(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


if __name__ == "__main__":
    sys.exit(main())
