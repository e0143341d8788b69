"""A result for people, independent of how it is shown: a sentence, tables, notes, a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from shard_sizing.cli.presentation.pictures import Picture


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with a sentence above it if it needs one."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A result for people.

    Attributes:
        sentence: The result; further sentences that belong to it may follow.
        tables: Its figures.
        notes: What to know besides, a line each.
        source: Where the figures come from.
        picture: The result as a picture.
    """

    sentence: str
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    source: str = ""
    picture: Picture | None = None
