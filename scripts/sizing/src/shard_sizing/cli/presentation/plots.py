"""Drawing pictures, by matplotlib if it is there (the extra ``plot``).

Readers who see no colours distinguish parts by hatches, lines by dashes and marks; the colours are those
of Okabe and Ito, which differ in brightness as well. Texts are drawn as they are: a key may hold a dollar.
"""

import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from shard_sizing.cli.presentation.pictures import Bars, Lines, Picture, Stacks, short_label
from shard_sizing.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS: Final = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#999999",
    "#b8a9e0",
)
_HATCHES: Final = ("", "//", "..", "xx", "\\\\", "oo", "++", "--", "**")
_DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
_MARKERS: Final = ("o", "s", "^", "D", "v", "P")
_LIMIT: Final = "#000000"
_NUMBERED: Final = 40  # bars up to which each carries its value
_LEVEL: Final = 8  # bars up to which their names have room side by side
_FEW_POWERS: Final = 300.0  # the end of an axis over its beginning
_WIDTH: Final = 88  # characters of a title's line
_SETTINGS: Final[Any] = {
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "shard-sizing",
    "hatch.linewidth": 0.6,
}


def line_style(number: int) -> tuple[str, Any, str]:
    """Return the colour, dashes and mark of a line."""
    return (
        _COLOURS[number % len(_COLOURS)],
        _DASHES[number % len(_DASHES)],
        _MARKERS[number % len(_MARKERS)],
    )


def part_style(number: int) -> tuple[str, str]:
    """Return the colour and the hatch of a part of a column."""
    return _COLOURS[number % len(_COLOURS)], _HATCHES[number % len(_HATCHES)]


def save(picture: Picture, path: Path) -> None:
    """Draw a picture into a file.

    Raises:
        InputError: No matplotlib, or a file name that is neither PNG nor SVG.
    """
    if path.suffix not in (".png", ".svg"):
        raise InputError(str(path), "a plot is a .png or .svg file")
    path.write_bytes(drawn(picture, path.suffix[1:]))


def drawn(picture: Picture, kind: str) -> bytes:
    """Return a picture as the bytes of a PNG or SVG file.

    Raises:
        InputError: No matplotlib.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - optional
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional
    except ImportError as error:
        raise InputError("--plot", "needs matplotlib; install orderstream-sizing[plot]") from error
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots()
        axes.set_title(textwrap.fill(picture.title, _WIDTH), fontsize=10, loc="left")
        axes.set_xlabel(picture.x)
        axes.set_ylabel(picture.y)
        match picture:
            case Bars():
                _draw_bars(axes, picture)
            case Stacks():
                _draw_stacks(axes, picture)
            case Lines():
                _draw_lines(axes, picture)
        return _bytes(figure, kind)


def _bytes(figure: "Figure", kind: str) -> bytes:
    buffer = io.BytesIO()
    # Without its date a picture is the same bytes each time: a committed one changes with its content only.
    figure.savefig(buffer, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _draw_bars(axes: "Axes", bars: Bars) -> None:
    numbers = range(1, len(bars.values) + 1)
    if len(bars.values) <= _NUMBERED:
        _draw_each_bar(axes, bars, numbers)
    elif bars.values:
        # Thousands of bars are narrower than a pixel each: their outline is the same picture, in no time.
        axes.fill_between(numbers, bars.values, step="mid", color=_COLOURS[0], linewidth=0)
        highest = max(bars.values)
        at = (bars.values.index(highest) + 1, highest)
        axes.annotate(
            f"{highest:,.3g}{bars.unit}",
            at,
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=8,
            ha="center",
        )
    if bars.labels:
        labels = [short_label(label) for label in bars.labels]
        steep = 60 if len(labels) > _LEVEL else 20
        axes.set_xticks(list(numbers), labels, rotation=steep, ha="right", fontsize=8)
    else:
        axes.locator_params(axis="x", integer=True)
    if bars.limit is not None:
        axes.axhline(bars.limit, color=_LIMIT, linestyle="--", label=f"limit: {bars.limit:g}{bars.unit}")
        axes.legend(loc="upper right")
    axes.margins(y=0.15)
    # The last, as it ends autoscaling: the limit has to be in the picture even if no bar comes near.
    axes.set_ylim(bottom=0)


def _draw_each_bar(axes: "Axes", bars: Bars, numbers: Sequence[int]) -> None:
    over = [bars.limit is not None and value > bars.limit for value in bars.values]
    columns = axes.bar(
        numbers,
        bars.values,
        color=[_COLOURS[5] if beyond else _COLOURS[0] for beyond in over],
        hatch=["//" if beyond else "" for beyond in over],
        edgecolor="#ffffff",
        linewidth=0.3,
    )
    size, turned = (6, 90) if len(bars.values) > _NUMBERED / 3 else (8, 0)
    shown = [f"{value:,.3g}{bars.unit}" for value in bars.values]
    axes.bar_label(columns, labels=shown, fontsize=size, rotation=turned, padding=2)


def _draw_stacks(axes: "Axes", stacks: Stacks) -> None:
    wholes = [sum(column) or 1.0 for column in zip(*stacks.stacks.values(), strict=True)]
    below = [0.0] * len(stacks.labels)
    for number, (name, parts) in enumerate(stacks.stacks.items()):
        heights = [100 * part / whole for part, whole in zip(parts, wholes, strict=True)]
        colour, hatch = part_style(number)
        columns = axes.bar(
            stacks.labels,
            heights,
            bottom=below,
            width=0.6,
            label=name,
            color=colour,
            hatch=hatch,
            edgecolor="#333333",
            linewidth=0.4,
        )
        shown = [f"{name} {height:.0f} %" if height >= 4 else "" for height in heights]
        box = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.5, "alpha": 0.9}
        for label in axes.bar_label(columns, labels=shown, label_type="center", fontsize=8):
            if label.get_text():
                label.set_bbox(box)
        below = [low + high for low, high in zip(below, heights, strict=True)]
    # In the order in which they lie on top of one another.
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], names[::-1], loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_lines(axes: "Axes", lines: Lines) -> None:
    for number, (name, heights) in enumerate(lines.lines.items()):
        known = [float("nan") if height is None else height for height in heights]
        colour, dashes, marker = line_style(number)
        axes.plot(
            lines.at,
            known,
            label=name,
            color=colour,
            linestyle=dashes,
            marker=marker,
            markevery=(number % 4, max(1, len(lines.at) // 8)),
            markersize=5,
        )
    if lines.log:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):  # matplotlib's own labels of powers are formulas
            axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
            axis.set_minor_formatter(_between_powers(axis))
    axes.grid(visible=True, which="major", color="#dddddd")
    for number, (name, at) in enumerate(lines.marks.items()):
        axes.axvline(at, color="#444444", linestyle=":", linewidth=1)
        left = (
            at > lines.at[len(lines.at) // 2]
        )  # beyond the middle a text to the right would leave the picture
        axes.annotate(
            name,
            (at, 0.02 + 0.05 * (number % 4)),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if left else 3, 0),
            ha="right" if left else "left",
            textcoords="offset points",
            fontsize=7,
            bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
        )
    axes.legend(loc="best", fontsize=8)


def _between_powers(axis: Any) -> Callable[[float, float], str]:
    """Return what labels twice and five times a power of ten, where there are few powers on an axis."""

    def label(value: float, _: float) -> str:
        low, high = axis.get_view_interval()
        return f"{value:,.10g}" if high < _FEW_POWERS * low and f"{value:e}"[0] in "25" else ""

    return label
