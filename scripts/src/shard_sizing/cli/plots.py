"""Plots, by matplotlib if it is there (the extra ``plot``)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shard_sizing.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#3b6ea5", "#d08a2e", "#5a9a5a", "#8a5a9a", "#7a7a7a", "#4aa5a5", "#a55a4a", "#b5b13b")


def plot_bars(
    path: Path, *, values: Iterable[float], x: str, y: str, labels: Sequence[str] = (), limit: float | None
) -> None:
    """Draw one bar for each value, and a line at the limit if there is one.

    Raises:
        InputError: No matplotlib, or a file name that is neither PNG nor SVG.
    """
    figure, axes = _figure(path, x, y)
    heights = list(values)
    axes.bar(range(1, len(heights) + 1), heights, color=_COLOURS[0])
    if labels:
        axes.set_xticks(range(1, len(heights) + 1), labels, rotation=60, ha="right", fontsize=8)
    else:
        axes.locator_params(axis="x", integer=True)
    if limit is not None:
        axes.axhline(limit, color="#b03030", linestyle="--", label="limit")
        axes.legend()
    figure.savefig(path, dpi=120)


def plot_stacks(
    path: Path, *, stacks: Mapping[str, Sequence[float]], labels: Sequence[str], x: str, y: str
) -> None:
    """Draw one column for each label, its parts on top of one another as shares of the whole.

    Raises:
        InputError: No matplotlib, or a file name that is neither PNG nor SVG.
    """
    figure, axes = _figure(path, x, y)
    wholes = [sum(column) or 1.0 for column in zip(*stacks.values(), strict=True)]
    below = [0.0] * len(labels)
    for number, (name, parts) in enumerate(stacks.items()):
        heights = [100 * part / whole for part, whole in zip(parts, wholes, strict=True)]
        axes.bar(labels, heights, bottom=below, label=name, color=_COLOURS[number % len(_COLOURS)])
        below = [low + high for low, high in zip(below, heights, strict=True)]
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=120)


def plot_lines(
    path: Path,
    *,
    at: Sequence[float],
    lines: Mapping[str, Sequence[float | None]],
    x: str,
    y: str,
    log: bool = False,
) -> None:
    """Draw lines over common positions; None leaves a gap.

    Raises:
        InputError: No matplotlib, or a file name that is neither PNG nor SVG.
    """
    figure, axes = _figure(path, x, y)
    for number, (name, heights) in enumerate(lines.items()):
        drawn = [float("nan") if height is None else height for height in heights]
        axes.plot(at, drawn, label=name, color=_COLOURS[number % len(_COLOURS)])
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.grid(visible=True, which="major", color="#dddddd")
    axes.legend()
    figure.savefig(path, dpi=120)


def _figure(path: Path, x: str, y: str) -> "tuple[Figure, Axes]":
    if path.suffix not in (".png", ".svg"):
        raise InputError(str(path), "a plot is a .png or .svg file")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional
    except ImportError as error:
        raise InputError("--plot", "needs matplotlib; install orderstream-sizing[plot]") from error
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes
