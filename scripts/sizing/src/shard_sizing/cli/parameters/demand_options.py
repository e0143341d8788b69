"""Options of what a stream has to bear: who produces, which keys are salted, and who reads."""

import functools
from typing import Any, Final

import click
import msgspec

from shard_sizing.cli.parameters.given import refuse_unused
from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import Command, with_options
from shard_sizing.errors import InputError
from shard_sizing.model.capacity.demand import Demand, planned_peak
from shard_sizing.model.capacity.readers import CATCH_UP, POLL_SECONDS, Readers
from shard_sizing.model.capacity.sizing import PERCENT as USUAL_PERCENT
from shard_sizing.model.law.aggregation import LATENCY, Aggregation
from shard_sizing.model.law.stream_law import DEFAULT_RECORD_LIMIT
from shard_sizing.model.workload.keys import Salt
from shard_sizing.model.workload.peaks import PEAK_NAMES
from shard_sizing.model.workload.profile import Profile, resized

PERCENT: Final = click.option(
    "--percent",
    type=Number(1, 99.9),
    default=USUAL_PERCENT,
    show_default=True,
    help="Share of the placements of the keys in which the shards have to fit, in %.",
)

_MOST_WAYS: Final = 1_000  # as the SDK's
_KIB: Final = 1_024


def reader_options(command: Command) -> Command:
    """Add the options that say who reads a stream; the command gets them as ``readers``."""

    @functools.wraps(command)
    def wrapped(*, consumers: int, efo: bool, catch_up: float, poll_seconds: float, **others: Any) -> int:
        if consumers == 0:
            refuse_unused("is for readers, and there are none", "efo", "catch_up", "poll_seconds")
        if efo:
            refuse_unused("is for GetRecords, which --efo does not call", "poll_seconds")
        return command(readers=Readers(consumers, efo, catch_up, poll_seconds), **others)

    return with_options(
        wrapped,
        click.option(
            "--consumers",
            type=click.IntRange(min=0),
            default=1,
            show_default=True,
            help="Applications that read all of the stream.",
        ),
        click.option(
            "--efo", is_flag=True, help="They read by enhanced fan-out, each with a limit of its own."
        ),
        click.option(
            "--catch-up",
            type=Number(min=0, min_open=True),
            default=CATCH_UP,
            show_default=True,
            help="Longest time to catch up after an outage, as a multiple of the outage.",
        ),
        click.option(
            "--poll-seconds",
            type=Number(min=0, min_open=True),
            default=POLL_SECONDS,
            show_default=True,
            help="Seconds between two GetRecords calls of a reader for a shard.",
        ),
    )


def salt_options(command: Command) -> Command:
    """Add the options that spread keys over sub-keys; the command gets them as ``salt``."""

    @functools.wraps(command)
    def wrapped(
        *, profile: Profile, salt: int, salt_keys: tuple[str, ...], salt_heaviest: int | None, **others: Any
    ) -> int:
        return command(profile=profile, salt=_salt(profile, salt, salt_keys, salt_heaviest), **others)

    return with_options(
        wrapped,
        click.option(
            "--salt",
            type=click.IntRange(1, _MOST_WAYS),
            default=1,
            show_default=True,
            help="Sub-keys of each salted key; 1 salts none.",
        ),
        click.option("--salt-key", "salt_keys", multiple=True, help="A key to salt; may be given again."),
        click.option(
            "--salt-heaviest",
            type=click.IntRange(min=1),
            help="Salt so many of the heaviest keys; by default 1, if no --salt-key is given.",
        ),
    )


def stream_options(command: Command) -> Command:
    """Add the options that say what a stream has to bear but for aggregation; the command gets a ``demand``.

    What changes the records themselves, such as compression, is in the ``profile`` that it gets.
    """

    @functools.wraps(command)
    def wrapped(
        *,
        profile: Profile,
        at: str | None,
        compress: float,
        salt: Salt,
        readers: Readers,
        max_record_kib: int,
        **others: Any,
    ) -> int:
        if at == "mean":
            refuse_unused("is not planned for with --at mean", "peak")
        if at and at.endswith("-second"):
            refuse_unused("varies the seconds of a minute, and --at names a second", "burst_cv")
        profile = resized(profile, compress) if compress != 1 else profile
        demand = Demand(
            at=at or planned_peak(profile), readers=readers, salt=salt, record_limit=max_record_kib * _KIB
        )
        return command(profile=profile, demand=demand, **others)

    return with_options(
        reader_options(salt_options(wrapped)),
        click.option(
            "--at",
            metavar="PEAK",
            help=f"The rate planned for: {', '.join(PEAK_NAMES)}; by default the 99.9 % minute.",
        ),
        click.option(
            "--compress",
            type=Number(0.01, 1),
            default=1.0,
            show_default=True,
            help="Size of a compressed record over its plain size.",
        ),
        click.option(
            "--max-record-kib",
            type=click.IntRange(1_024, 10_240),
            default=DEFAULT_RECORD_LIMIT // _KIB,
            show_default=True,
            help="Maximum record size of the stream, in KiB.",
        ),
    )


def with_producers(command: Command) -> Command:
    """Add the options that say how producers aggregate; the command gets each, None where not given."""
    return with_options(
        command,
        click.option(
            "--producers", type=click.IntRange(min=1), help="How many producers aggregate side by side."
        ),
        click.option(
            "--linger",
            type=Number(0, 60),
            help="Seconds for which a producer waits for more records; by default 0, as the SDK's.",
        ),
        click.option(
            "--latency",
            type=Number(min=0, min_open=True),
            help=f"Seconds that a PutRecords call takes; by default {LATENCY:g}.",
        ),
    )


def demand_options(command: Command) -> Command:
    """Add all options that say what a stream has to bear; the command gets them as ``demand``."""

    @functools.wraps(command)
    def wrapped(
        *,
        demand: Demand,
        aggregate: bool,
        producers: int | None,
        linger: float | None,
        latency: float | None,
        **others: Any,
    ) -> int:
        if not aggregate and (producers, linger, latency) != (None, None, None):
            raise click.UsageError("--producers, --linger and --latency are for --aggregate")
        if aggregate and producers is None:
            raise click.UsageError(
                "--aggregate needs --producers: each of them sends an aggregate of its own to every shard"
            )
        if producers is not None:
            demand = msgspec.structs.replace(demand, aggregation=aggregation(producers, linger, latency))
        return command(demand=demand, **others)

    packing = click.option(
        "--aggregate", is_flag=True, help="Producers pack records into aggregates; needs --producers."
    )
    return stream_options(with_options(with_producers(wrapped), packing))


def aggregation(producers: int, linger: float | None, latency: float | None) -> Aggregation:
    """Return how producers aggregate, by the model's defaults where nothing is said."""
    found = Aggregation(producers)
    if linger is not None:
        found = msgspec.structs.replace(found, linger=linger)
    return found if latency is None else msgspec.structs.replace(found, latency=latency)


def _salt(profile: Profile, ways: int, names: tuple[str, ...], heaviest: int | None) -> Salt:
    if ways == 1:
        if names or heaviest:
            raise click.UsageError("--salt-key and --salt-heaviest need --salt, the number of sub-keys")
        return Salt()
    if profile.key_growth > 1:
        raise click.UsageError(
            "--salt is for keys that are known; of --growth-by more-keys none of the new is"
        )
    if names and heaviest:
        raise click.UsageError("give either --salt-key or --salt-heaviest")
    known = {key.key for key in profile.known_keys()}
    if unknown := [name for name in names if name not in known]:
        raise InputError("--salt-key", f"the profile knows no key {unknown[0]!r}")
    return Salt(ways, names, heaviest or 1)
