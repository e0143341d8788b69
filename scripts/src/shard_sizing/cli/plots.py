"""Plots, by matplotlib if it is there (the extra ``plot``)."""

from pathlib import Path

from shard_sizing.errors import InputError
from shard_sizing.model.profile import Floats


def plot_loads(used: Floats, path: Path) -> None:
    """Draw each shard's mean load over its limit, busiest first.

    Raises:
        InputError: No matplotlib, or a file name that is neither PNG nor SVG.
    """
    if path.suffix not in (".png", ".svg"):
        raise InputError(str(path), "a plot is a .png or .svg file")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional
        from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - optional
    except ImportError as error:
        raise InputError("--plot", "needs matplotlib; install orderstream-sizing[plot]") from error
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(1, used.size + 1), sorted((100 * used).tolist(), reverse=True), color="#3b6ea5")
    axes.axhline(100, color="#b03030", linestyle="--", label="limit of a shard")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("shards, busiest first")
    axes.set_ylabel("mean load, % of the limit")
    axes.legend()
    figure.savefig(path, dpi=120)
