"""``shard-sizing sample``."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec

from shard_sizing.cli.event_files import LONGEST_KEY, Columns, event_batches
from shard_sizing.cli.parameters.given import refuse_unused
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.options import FILE, Shared, shared_options
from shard_sizing.cli.presentation.output import counted, show_json, show_text, write_files
from shard_sizing.cli.presentation.pictures import Bars
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.errors import InputError
from shard_sizing.model.percent import percent
from shard_sizing.model.sampling.sampler import sample as sample_events
from shard_sizing.model.sampling.sampler import sample_batches
from shard_sizing.model.sampling.synthetic import Synthetic
from shard_sizing.model.sampling.synthetic import events as made_up_events
from shard_sizing.model.workload.profile import Profile
from shard_sizing.model.workload.shares import MOST_KEYS
from shard_sizing.model.workload.zipf import FITTED, zipf_shares

_APART: Final = 2.0  # times the share that the law gives the heaviest key
_NOTICED: Final = 0.001  # of the records: the heaviest of many light keys is so by chance
_SHOWN: Final = 20  # heaviest keys


@click.command(
    cls=Command,
    examples=(
        "orders.csv.gz --key sku --timestamp at --out sku.json",
        "- --key sku --timestamp at --size bytes < events.ndjson",
        "made-up.toml --out profile.json",
    ),
)
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True))
@shared_options(without=("region", "limits", "prices"))
@click.option("--key", help="Column or field of the partition key.")
@click.option("--timestamp", help="Column or field of the time: ISO 8601 or seconds since 1970.")
@click.option(
    "--size",
    "size_column",
    help="Column or field of the record's bytes; by default the row's own length counts.",
)
@click.option("--out", type=FILE, help="Write the profile to this file; by default it is printed.")
def sample(
    source: Path,
    shared: Shared,
    key: str | None,
    timestamp: str | None,
    size_column: str | None,
    out: Path | None,
) -> int:
    """Make a profile of recorded or made-up events.

    SOURCE is a CSV file with a header or an NDJSON file, plain or packed by gzip, - for standard input,
    or a .toml file that describes made-up events (rate, seconds, keys, zipf, bytes, bytes_cv, burst_cv).
    """
    if source.suffix == ".toml":
        refuse_unused("is for recorded events; a .toml file makes them up", "key", "timestamp", "size_column")
    else:
        refuse_unused("is for made-up events (.toml)", "seed")
    long_keys: list[int] = []
    total = source.stat().st_size if source.is_file() else 0
    with progress("reading", total, shown=shared.show_progress) as advance, _named(source):
        if source.suffix == ".toml":
            profile = sample_events(made_up_events(_spec(source), shared.seed))
        elif key and timestamp:
            columns = Columns(key, timestamp, size_column)
            profile = sample_batches(event_batches(source, columns, advance, long_keys.append))
        else:
            raise InputError("sample", "give --key and --timestamp, or a synthetic .toml spec")
    empty = sum(hot.record_share for hot in profile.hot_keys if not hot.key)
    if empty:
        told = (
            f"warning: {percent(empty, 1)} of the rows have an empty key, which Kinesis refuses; "
            "counted as one key"
        )
        show_text(told, err=True)
    if long_keys:
        told = (
            f"warning: {len(long_keys):,} rows, the first in line {long_keys[0]:,}, have keys of more than "
            f"{LONGEST_KEY} characters, which Kinesis refuses; counted as they are"
        )
        show_text(told, err=True)
    write_files(profile, _sheet(profile), shared)
    if out is None or shared.as_json:
        show_json(profile)
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(profile)) + b"\n")
        show_text(f"{_sentence(profile)}; written to {out}.", err=shared.as_json)
    return 0


@contextmanager
def _named(source: Path) -> Iterator[None]:
    """Name the source in what is said of events without naming where they are."""
    try:
        yield
    except InputError as error:
        where = "standard input" if str(source) == "-" else str(source)
        raise (InputError(where, error.problem) if error.what == "input" else error) from error


def _spec(source: Path) -> Synthetic:
    try:
        return msgspec.convert(tomllib.loads(source.read_text(encoding="utf-8")), Synthetic)
    except (OSError, ValueError) as error:
        raise InputError(str(source), f"not a synthetic workload: {error}") from error


def _sheet(profile: Profile) -> Sheet:
    heaviest = profile.hot_keys[:_SHOWN]
    picture = Bars(
        f"{_sentence(profile)}.",
        [100 * hot.record_share for hot in heaviest],
        "heaviest keys",
        "share of all records, %",
        labels=[hot.key or "(empty)" for hot in heaviest],
        unit=" %",
    )
    rows = [
        (hot.key or "(empty)", percent(hot.record_share, 2), percent(hot.byte_share, 2)) for hot in heaviest
    ]
    table = Table(("key", "records", "bytes"), rows, "The heaviest keys:")
    return Sheet(picture.title, (table,), picture=picture)


def _heaviest(profile: Profile) -> str:
    """Return the heaviest key's share in words where it is far above the law's; empty otherwise."""
    if not profile.hot_keys:
        return ""
    share = profile.hot_keys[0].record_share
    times = share / float(zipf_shares(min(profile.keys, MOST_KEYS), profile.zipf.exponent)[0])
    return (
        f", the first of which has {percent(share, 1)}, {times:,.0f} times what that gives it"
        if times > _APART and share >= _NOTICED
        else ""
    )


def _sentence(profile: Profile) -> str:
    bursts = (
        f"burstiness {profile.burst_cv:.2f}"
        if profile.resolution == 1
        else f"burstiness not known, as times are in steps of {profile.resolution} s"
    )
    return (
        f"{counted(profile.records, 'record')} on {counted(profile.keys, 'key')}, {profile.rate:,.3f} a "
        f"second on average; {_skew(profile)}{_heaviest(profile)}; {bursts}"
    )


def _skew(profile: Profile) -> str:
    zipf, fitted = profile.zipf, min(FITTED, profile.keys)
    if fitted == 1:
        return "all on one key"
    between = f"{zipf.low} to {zipf.high}"
    if zipf.exponent == 0:
        return f"the heaviest {fitted:,} keys are even (Zipf exponent 0, {between})"
    return f"Zipf exponent {zipf.exponent} ({between}) of the heaviest {fitted:,} keys"
