"""``shard-sizing hotkeys``."""

from pathlib import Path
from typing import Final

import click
import msgspec

from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.options import FILE, GROWTH, Shared, grown_by, read_profile, shared_options
from shard_sizing.cli.presentation.output import counted, present
from shard_sizing.cli.presentation.peak_words import peak_words
from shard_sizing.cli.presentation.pictures import Bars
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.model.capacity.demand import planned_peak
from shard_sizing.model.capacity.hotkeys import HotKeyNeed, hot_keys
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.peaks import PEAK_NAMES
from shard_sizing.model.workload.profile import Growth, rate_at

_SHOWN: Final = 20
_SMALL: Final = 0.0001  # a share below needs more digits


class HotKeys(msgspec.Struct, frozen=True):
    """The hot keys of a profile.

    Attributes:
        keys: Each of them.
        at: The rate that was asked for.
        rate: Records per second of the whole workload then.
    """

    keys: tuple[HotKeyNeed, ...]
    at: str
    rate: float
    schema: str = "shard-sizing/hotkeys/3"


@click.command(cls=Command, examples=("sku.json", "sku.json --growth 100"))
@click.argument("profile", type=FILE)
@shared_options(without=("seed", "region", "prices"))
@GROWTH[0]
@GROWTH[1]
@click.option(
    "--at",
    metavar="PEAK",
    help=f"The rate planned for: {', '.join(PEAK_NAMES)}; by default the 99.9 % minute.",
)
def hotkeys(profile: Path, shared: Shared, growth: float, growth_by: Growth | None, at: str | None) -> int:
    """Show each hot key and the sub-keys that it needs.

    PROFILE is a file that sample or measure wrote. Exit 2 if a key has to be spread over sub-keys.
    """
    limits = shared.limits
    found = grown_by(read_profile(profile), growth, growth_by)
    at = at or planned_peak(found)
    rate = rate_at(found, at)
    keys = hot_keys(found, limits, at)
    hot = [key for key in keys if key.sub_keys > 1]
    told = (
        f"{counted(len(hot), 'key')} {'is' if len(hot) == 1 else 'are'} too heavy for half a shard"
        if hot
        else "No key is too heavy for half a shard"
    )
    gives_up = " Spreading a key gives up its order across the sub-keys." if hot else ""
    shown = sorted(keys, key=lambda key: -key.sub_keys)[:_SHOWN]  # stable: heaviest first among equals
    rows = [
        (
            (k.key or "(empty)") + (" *" if k.clump else ""),
            _share(k.record_share),
            _share(k.byte_share),
            _rate(k.records_per_second),
            str(k.sub_keys),
        )
        for k in shown
    ]
    columns = ("key", "records", "bytes", "records/s", "sub-keys")
    picture = Bars(
        f"{told} at {peak_words(at, rate, found.rate)}.",
        [100 * key.record_share for key in shown],
        "heaviest keys",
        "share of all records, %",
        labels=[key.key or "(empty)" for key in shown],
        unit=" %",
    )
    clumped = any(key.clump for key in shown)
    notes = ["* In busy times one key brings so much; it is another one each time."] if clumped else []
    source = f"Limits of {limits.date}: {limits.source}"
    sheet = Sheet(
        f"{told} at {peak_words(at, rate, found.rate)}.{gives_up}",
        (Table(columns, rows),),
        notes,
        source,
        picture,
    )
    present(HotKeys(keys, at, rate), sheet, shared)
    return 2 if hot else 0


def _share(share: float) -> str:
    """Write a share: of a hundred thousand even keys each has a thousandth of a per cent, and not nothing."""
    return percent(share, 2) if share >= _SMALL else f"{100 * share:.2g} %"


def _rate(records: float) -> str:
    """Write a rate: keys of a quiet stream differ in the digits that two decimals would cut off."""
    return f"{records:,.2f}" if records >= 1 else f"{records:.2g}"
