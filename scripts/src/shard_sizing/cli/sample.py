"""``shard-sizing sample``."""

import csv
import gzip
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from shard_sizing.cli.options import FILE
from shard_sizing.errors import InputError
from shard_sizing.model.sampling import Event
from shard_sizing.model.sampling import sample as sample_events


@click.command()
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--key", required=True, help="Column or field of the partition key.")
@click.option(
    "--timestamp", required=True, help="Column or field of the time: ISO 8601 or seconds since 1970."
)
@click.option("--size", "size_column", help="Column or field of the bytes; by default the row's own length.")
@click.option("--out", type=FILE, help="Where to write the profile; by default to the terminal.")
def sample(source: Path, key: str, timestamp: str, size_column: str | None, out: Path | None) -> int:
    """Make a profile of an NDJSON or CSV file (also .gz), or of stdin with ``-``."""
    profile = sample_events(_events(source, key, timestamp, size_column))
    empty = sum(hot.record_share for hot in profile.hot_keys if not hot.key)
    if empty:
        told = (
            f"warning: {empty:.1%} of the rows have an empty key, which Kinesis refuses; counted as one key"
        )
        click.echo(told, err=True)
    body = msgspec.json.format(msgspec.json.encode(profile))
    if out is None:
        click.echo(body.decode())
        return 0
    out.write_bytes(body + b"\n")
    click.echo(
        f"{profile.records:,} records on {profile.keys:,} keys, {profile.rate:,.3f} a second on average; "
        f"Zipf {profile.zipf.exponent} ({profile.zipf.low} to {profile.zipf.high}); written to {out}."
    )
    return 0


def _events(source: Path, key: str, timestamp: str, size: str | None) -> Iterator[Event]:
    zone: bool | None = None
    for number, (row, length) in enumerate(_rows(source), 1):
        try:
            at, zoned = _seconds(row[timestamp])
            # A row's key is part of what Kinesis counts, and a serialised row holds it already.
            event = str(row[key]), at, int(row[size]) if size else length
        except KeyError as error:
            raise InputError(
                str(source), f"row {number} has no column {error}; it has {', '.join(row)}"
            ) from error
        except (TypeError, ValueError) as error:
            raise InputError(str(source), f"row {number}: {error}") from error
        if zone is not None and zoned is not None and zone != zoned:
            raise InputError(
                str(source), f"row {number}: times with and without a zone are mixed; use one kind"
            )
        zone = zoned if zone is None else zone
        yield event


def _seconds(value: Any) -> tuple[float, bool | None]:
    try:
        return float(value), None
    except ValueError:
        at = datetime.fromisoformat(value)
    zoned = at.tzinfo is not None
    # Times without a zone are read as UTC: only their distances matter.
    return (at if zoned else at.replace(tzinfo=UTC)).timestamp(), zoned


def _rows(source: Path) -> Iterator[tuple[dict[str, Any], int]]:
    try:
        with _opened(source) as lines:
            first = lines.readline()
            if first.lstrip().startswith("{"):
                yield from _json_rows(first, lines)
            else:
                names = next(csv.reader([first]), [])
                for values in csv.reader(lines):
                    row = dict(zip(names, values, strict=False))
                    yield row, sum(map(len, values)) + len(values)
    except (OSError, UnicodeDecodeError, csv.Error, msgspec.DecodeError) as error:
        raise InputError(str(source), f"cannot be read: {error}") from error


def _json_rows(first: str, lines: IO[str]) -> Iterator[tuple[dict[str, Any], int]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    yield decode(first), len(first.rstrip())
    for line in lines:
        if line.strip():
            yield decode(line), len(line.rstrip())


def _opened(source: Path) -> IO[str]:
    if str(source) == "-":
        return sys.stdin
    if source.suffix == ".gz":
        return gzip.open(source, "rt", encoding="utf-8", newline="")
    return source.open(encoding="utf-8", newline="")
