"""``shard-sizing hotkeys``."""

from pathlib import Path

import click
import msgspec

from shard_sizing.cli.options import FILE, Shared, read_profile, shared_options
from shard_sizing.cli.output import Sheet, Table, counted, present
from shard_sizing.cli.pictures import Bars
from shard_sizing.model.hotkeys import HotKeyNeed, hot_keys


class HotKeys(msgspec.Struct, frozen=True):
    """The hot keys of a profile."""

    keys: tuple[HotKeyNeed, ...]
    schema: str = "shard-sizing/hotkeys/1"


@click.command()
@click.argument("profile", type=FILE)
@shared_options(without=("seed", "region", "prices"))
def hotkeys(profile: Path, shared: Shared) -> int:
    """Show each hot key and the sub-keys it needs; exit 2 if any has to be spread."""
    limits = shared.limits
    keys = hot_keys(read_profile(profile), limits)
    hot = [key for key in keys if key.sub_keys > 1]
    told = (
        f"{counted(len(hot), 'key')} {'is' if len(hot) == 1 else 'are'} too heavy for half a shard"
        if hot
        else "No key is too heavy for half a shard"
    )
    gives_up = " Spreading a key gives up its order across the sub-keys." if hot else ""
    rows = [
        (
            k.key,
            f"{k.record_share:.2%}",
            f"{k.byte_share:.2%}",
            f"{k.records_per_second:,.2f}",
            str(k.sub_keys),
        )
        for k in keys
    ]
    columns = ("key", "records", "bytes", "records/s", "sub-keys")
    picture = Bars(
        f"{told}.",
        [100 * key.record_share for key in keys],
        "heaviest keys",
        "share of all records, %",
        labels=[key.key for key in keys],
        unit=" %",
    )
    source = f"Limits of {limits.date}: {limits.source}"
    sheet = Sheet(f"{told}.{gives_up}", (Table(columns, rows),), source=source, picture=picture)
    present(HotKeys(keys), sheet, shared)
    return 2 if hot else 0
