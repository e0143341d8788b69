"""``shard-sizing measure``."""

import datetime as dt
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
import click
import msgspec

from orderstream.aws import required
from shard_sizing.cli.parameters.given import refuse_unused
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.numbers import Moment, Number
from shard_sizing.cli.parameters.options import FILE, Shared, shared_options
from shard_sizing.cli.presentation.output import present, short_ids, show_text
from shard_sizing.cli.presentation.pictures import Bars
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.errors import InputError
from shard_sizing.live.asked import stream_asked, summary_of
from shard_sizing.live.cloudwatch import stream_history
from shard_sizing.live.fan_out import FanOut
from shard_sizing.live.measure import measure as profile_of
from shard_sizing.live.polling import Poller
from shard_sizing.live.reshard import kinesis
from shard_sizing.live.throttles import CloudWatchSilentError, throttled_writes
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.history import History
from shard_sizing.model.workload.measured import Measured, over_history


@click.command(
    cls=Command,
    examples=(
        "orders --seconds 300 --out live.json",
        "orders --from 2026-11-29T18:00 --out evening.json",
        "orders --days 30 --out month.json",
    ),
)
@click.argument("stream")
@shared_options(without=("seed",))
@click.option(
    "--seconds",
    type=Number(1, 86_400),
    default=60.0,
    show_default=True,
    help="Seconds for which the stream is read.",
)
@click.option(
    "--efo",
    is_flag=True,
    help="Read by enhanced fan-out: it takes nothing from other readers, and costs by the hour.",
)
@click.option(
    "--from",
    "begin",
    type=Moment(),
    help="Look back from this time on, as far as records are kept (ISO 8601; UTC without a zone).",
)
@click.option("--to", "end", type=Moment(), help="Look back until this time; by default until now.")
@click.option("--shard", "only", multiple=True, help="Read only this shard; may be given again.")
@click.option(
    "--days",
    type=Number(0, 30),
    default=0.0,
    help="Take the rates and peaks of so many past days from CloudWatch.",
)
@click.option("--out", type=FILE, help="Write the profile to this file, for the other commands.")
def measure(
    *,
    stream: str,
    shared: Shared,
    seconds: float,
    efo: bool,
    begin: dt.datetime | None,
    end: dt.datetime | None,
    only: tuple[str, ...],
    days: float,
    out: Path | None,
) -> int:
    """Make a profile of a live stream.

    STREAM is read for a while (--seconds), or back in time as far as it keeps its records (--from). The
    profile has the load of each shard. With --days its rates and peaks are those of the past days, as
    CloudWatch keeps them; keys, sizes and bursts are as read.

    Exit 2 if a shard is over its limit at p99, or writes were refused.
    """
    _refuse_contradictions(begin, end, only, days, efo=efo)
    limits, client = shared.limits, kinesis(shared.region)
    now = dt.datetime.now(dt.UTC)
    began = begin or now
    if begin:
        # Whole seconds are read: those of both ends too, however little of them was asked for.
        seconds = math.ceil(min(end or now, now).timestamp()) - math.floor(begin.timestamp())
        if min(end or now, now) - begin < dt.timedelta(seconds=1):
            raise click.UsageError("--from has to be at least a second before --to, and in the past")
    # Asked first: a refusal must not cost a measurement that took minutes.
    cloudwatch = boto3.client("cloudwatch", region_name=shared.region)
    past = _past(stream, client, cloudwatch, days) if days else None
    with (
        _reader(stream, client, shared, seconds, begin, only, efo=efo) as reader,
        progress("reading", seconds, shown=shared.show_progress) as advance,
    ):
        found = profile_of(stream, reader, reader.read(seconds, _passed(advance)), limits, None)
    try:
        count = throttled_writes(cloudwatch, stream, began, began + dt.timedelta(seconds=seconds))
        found = msgspec.structs.replace(found, throttled_writes=count)
    except CloudWatchSilentError as silent:
        show_text(f"note: refused writes are not known: CloudWatch says {silent}", err=True)
    if past is not None:
        found = over_history(found, past)
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    present(found, _sheet(found, f"Limits of {limits.date}: {limits.source}"), shared)
    return 2 if found.busiest.used_p99 > 1 or found.throttled_writes else 0


def _refuse_contradictions(
    begin: dt.datetime | None, end: dt.datetime | None, only: tuple[str, ...], days: float, *, efo: bool
) -> None:
    if efo and (begin or only):
        raise click.UsageError("--efo reads every shard from now on; leave out --from and --shard")
    if days and only:
        raise click.UsageError("CloudWatch knows the stream as a whole; leave out --days or --shard")
    if end and not begin:
        raise click.UsageError("--to needs --from")
    if begin:
        refuse_unused("is for reading from now on; --from and --to say how long the past is", "seconds")
    if not efo:
        refuse_unused("is for --efo: GetRecords costs nothing", "prices_file")


def _past(stream: str, client: Any, cloudwatch: Any, days: float) -> History:
    with stream_asked(stream, "DescribeStreamSummary"):
        created = required(summary_of(client, stream), "StreamCreationTimestamp", dt.datetime)
    now = dt.datetime.now(dt.UTC)
    try:
        return stream_history(cloudwatch, stream, days, created, now)
    except CloudWatchSilentError as silent:
        raise InputError("--days", f"the past of {stream} is not known: CloudWatch says {silent}") from silent


_LABELLED: Final = 40  # shards up to which each has its id in the picture

_WARNING = (
    "warning: this reads by GetRecords, and a shard gives 2 MiB and 5 calls a second to all such readers "
    "together; --efo takes nothing from them, and costs"
)


@contextmanager
def _reader(
    stream: str,
    client: Any,
    shared: Shared,
    seconds: float,
    begin: dt.datetime | None,
    only: tuple[str, ...],
    *,
    efo: bool,
) -> Iterator[Poller | FanOut]:
    if not efo:
        show_text(_WARNING, err=True)
        since = None if begin is None else int(begin.timestamp())
        yield Poller(client, stream, since=since, only=only)
        return
    reader = FanOut(client, stream)
    prices = shared.known_prices
    show_text(reader.cost(prices if prices.figures else None, seconds), err=True)
    with reader:
        yield reader


def _passed(advance: Callable[[float], None]) -> Callable[[float], None]:
    """Return what takes the seconds that have passed, of what takes those that were added."""
    before = 0.0

    def passed(seconds: float) -> None:
        nonlocal before
        advance(seconds - before)
        before = seconds

    return passed


def _sheet(found: Measured, source: str) -> Sheet:
    busiest = found.busiest
    packed = f", {percent(found.aggregated)} of them aggregates" if found.aggregated else ""
    kinesis_records = found.kinesis.records if found.kinesis else found.records
    refused = {None: "", 0: " No write was refused."}.get(
        found.throttled_writes, f" {found.throttled_writes} writes were refused."
    )
    sentence = (
        f"{found.stream} took {found.rate:,.0f} records a second in {kinesis_records:,} Kinesis records"
        f"{packed}; its busiest shard, {busiest.shard_id}, is at {percent(busiest.used_p99)} of its limit "
        f"at p99 and {percent(busiest.used_max)} in its busiest second.{refused}"
    )
    ids = short_ids([shard.shard_id for shard in found.shards])
    rows = [
        (
            shard_id,
            f"{shard.records.mean:,.0f}",
            f"{shard.records.p99:,.0f}",
            f"{shard.bytes.mean:,.0f}",
            f"{shard.bytes.p99:,.0f}",
            percent(shard.used_p99),
            f"{shard.behind_millis:,}",
        )
        for shard_id, shard in zip(ids, found.shards, strict=True)
    ]
    columns = ("shard", "records/s", "at p99", "bytes/s", "at p99", "used at p99", "ms behind")
    corrupt = f"{found.corrupt} aggregates could not be deaggregated; each counts as one record."
    picture = Bars(
        sentence,
        [100 * shard.used_p99 for shard in found.shards],
        "shards by hash range",
        "load at p99, % of the limit",
        labels=ids if len(ids) <= _LABELLED else (),
        unit=" %",
        limit=100,
    )
    notes = [corrupt] if found.corrupt else []
    return Sheet(sentence, (Table(columns, rows),), notes, source, picture)
