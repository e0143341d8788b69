"""What a plot shows, apart from how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_LABEL: Final = 24
_ENDING: Final = 8
_LAST_COMMON_LETTER: Final = 0x052F  # Latin, Greek and Cyrillic: what matplotlib's own font draws
_CUT: Final = "…"  # replaces what ids have in common; every font has it


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar for each value.

    Attributes:
        title: The result in one sentence.
        values: Heights.
        x: What the bars are.
        y: What their heights are.
        labels: A name below each bar; without any they are numbered.
        unit: Written behind each value.
        limit: A line that no bar should cross, if there is one.
    """

    title: str
    values: Sequence[float]
    x: str
    y: str
    labels: Sequence[str] = ()
    unit: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Stacks:
    """One column for each label, its parts on top of one another as shares of the whole.

    Attributes:
        title: The result in one sentence.
        stacks: The parts, each with a value for every column.
        labels: A name below each column.
        x: What the columns are.
        y: What the shares are shares of.
    """

    title: str
    stacks: Mapping[str, Sequence[float]]
    labels: Sequence[str]
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over common positions.

    Attributes:
        title: The result in one sentence.
        at: The positions, ascending.
        lines: Heights of each line; None leaves a gap.
        x: What the positions are.
        y: What the heights are.
        log: Whether both axes are logarithmic.
        marks: Positions to be marked, by what they are.
    """

    title: str
    at: Sequence[float]
    lines: Mapping[str, Sequence[float | None]]
    x: str
    y: str
    log: bool = False
    marks: Mapping[str, float] = field(default_factory=dict)


Picture = Bars | Stacks | Lines


def short_label(name: str) -> str:
    """Return a name that fits below a bar: 24 characters at most, none that the font lacks, never nothing."""
    shown = _drawable(name[: _LABEL + 1])
    if len(shown) <= _LABEL:
        return shown or "(empty)"
    return f"{shown[: _LABEL - _ENDING - 1]}{_CUT}{_drawable(name[-_ENDING:])[-_ENDING:]}"


def _drawable(text: str) -> str:
    return "".join(
        letter
        if letter == _CUT or (letter.isprintable() and ord(letter) <= _LAST_COMMON_LETTER)
        else letter.encode("unicode_escape").decode()
        for letter in text
    )
