"""What a rule says of one resource."""

from dataclasses import dataclass
from typing import Literal

from shard_sizing.model.pipeline.usage import Usage

How = Literal["by time", "by use", "by time and use", "free", "not priced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What one resource costs, as far as it is known.

    Attributes:
        standing: What it uses in a month whether orders come or not.
        by_use: The names of the prices of what the orders use of it, each by how often it is used: data that
            several consumers read is paid for by each of them.
        carries: Services whose traffic goes through it, as the calls of an order name them.
        missing: What it costs besides, and why no figure covers it.
        free: Why it costs nothing, if it does not.
    """

    standing: tuple[Usage, ...] = ()
    by_use: tuple[tuple[str, float], ...] = ()
    carries: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    free: str = ""

    @property
    def how(self) -> How:
        """How the resource is priced."""
        if self.standing:
            return "by time and use" if self.by_use else "by time"
        if self.by_use:
            return "by use"
        return "free" if self.free and not self.missing else "not priced"


def by_use(*prices: str, missing: tuple[str, ...] = ()) -> Priced:
    """Return what is paid for by use alone."""
    return Priced(by_use=tuple((price, 1.0) for price in prices), missing=missing)
