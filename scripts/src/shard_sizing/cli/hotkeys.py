"""``shard-sizing hotkeys``."""

from pathlib import Path

import click
import msgspec

from shard_sizing.cli.options import FILE, Shared, read_profile, shared_options
from shard_sizing.cli.output import counted, show_json, show_table
from shard_sizing.cli.plots import plot_bars
from shard_sizing.model.hotkeys import HotKeyNeed, hot_keys


class HotKeys(msgspec.Struct, frozen=True):
    """The hot keys of a profile."""

    keys: tuple[HotKeyNeed, ...]
    schema: str = "shard-sizing/hotkeys/1"


@click.command()
@click.argument("profile", type=FILE)
@shared_options
def hotkeys(profile: Path, shared: Shared) -> int:
    """Show each hot key and the sub-keys it needs; exit 2 if any has to be spread."""
    limits = shared.limits
    keys = hot_keys(read_profile(profile), limits)
    hot = [key for key in keys if key.sub_keys > 1]
    if shared.plot:
        values, labels = [100 * key.record_share for key in keys], [key.key for key in keys]
        y = "share of all records, %"
        plot_bars(shared.plot, values=values, labels=labels, x="heaviest keys", y=y, limit=None)
    if shared.as_json:
        show_json(HotKeys(keys))
    else:
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
        told = (
            f"{counted(len(hot), 'key')} {'is' if len(hot) == 1 else 'are'} too heavy for half a shard"
            if hot
            else "No key is too heavy for half a shard"
        )
        gives_up = " Spreading a key gives up its order across the sub-keys." if hot else ""
        columns = ("key", "records", "bytes", "records/s", "sub-keys")
        show_table(f"{told}.{gives_up}", columns, rows, f"Limits of {limits.date}: {limits.source}")
    return 2 if hot else 0
