"""Writes what ``run.py`` measured into docs/benchmarks.md, between two marks, and draws it.

``python report.py FIGURES.json docs/benchmarks.md docs/benchmarks-producer.png``
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from levels import FAULTS, OURS, missed

mpl.use("Agg")
from matplotlib import pyplot as plt

BEGIN, END = "<!-- bench-producer: begin -->", "<!-- bench-producer: end -->"
COLUMNS = ("", "payload", "CPU us a record", "times ours", "records/s")


def main() -> int:
    """Write the table and the plot; exit status 1 where a level is missed."""
    figures, page, plot = map(Path, sys.argv[1:4])
    measured = json.loads(figures.read_text())
    results = measured["results"]
    ours = {result["size"]: result["cpu"] for result in results if result["peer"] == OURS}
    rows = "".join(row(result, ours) for result in results)
    about = measured["about"]
    titles = (*COLUMNS, *(fault.replace("_", " ").replace("kcl", "KCL") for fault in FAULTS))
    head = "| " + " | ".join(titles) + " |\n|---" + "|--:" * (len(titles) - 1) + "|\n"
    text = (
        f"{BEGIN}\n\nMeasured on {about['date']}: {about['machine']}, Python {about['python']}.\n\n"
        f"{head}{rows}\n![CPU time a record]({plot.name})\n\n{END}"
    )
    old = page.read_text()
    before, _, rest = old.partition(BEGIN)
    page.write_text(before + text + rest.partition(END)[2])
    draw(results, plot)
    short = list(missed(results))
    print(*short, sep="\n")
    return int(bool(short))


def row(result: dict[str, Any], ours: dict[int, float]) -> str:
    """Return a line of the table."""
    report, size = result["report"], result["size"]
    cells = [
        result["peer"],
        f"{size} B",
        f"{result['cpu']:.1f}",
        f"{result['cpu'] / ours[size]:.1f}",
        f"{result['records'] / result['seconds']:,.0f}",
        *(f"{report[fault]:,}" for fault in FAULTS),
    ]
    return "| " + " | ".join(cells) + " |\n"


def draw(results: list[dict[str, Any]], plot: Path) -> None:
    """Draw CPU time a record as bars, one group a payload size, on a logarithmic scale."""
    sizes = sorted({result["size"] for result in results})
    figure, axes = plt.subplots(len(sizes), 1, figsize=(8, 1.2 + 1.8 * len(sizes)), squeeze=False)
    for (axis,), size in zip(axes, sizes, strict=True):
        mine = [result for result in reversed(results) if result["size"] == size]
        colours = ["#b5482a" if result["peer"].startswith(OURS) else "#7a8794" for result in mine]
        bars = axis.barh(
            [result["peer"] for result in mine], [result["cpu"] for result in mine], color=colours
        )
        axis.bar_label(bars, fmt="%.1f", padding=3)
        axis.set_xscale("log")
        axis.set_xlim(1, 1000)
        axis.set_title(f"{size} bytes", loc="left", fontsize=10)
    axes[-1][0].set_xlabel("CPU time a record, microseconds")
    figure.tight_layout()
    figure.savefig(plot, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
