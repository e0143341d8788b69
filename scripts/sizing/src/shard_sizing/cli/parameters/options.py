"""Options that commands share: two decorators, each handing the command one finished object."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import click
import msgspec

from shard_sizing.cli.parameters.given import given, refuse_unused
from shard_sizing.cli.parameters.notes import note
from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.errors import InputError
from shard_sizing.model.data_files import Limits, Prices, RegionPrices, load_limits, load_prices
from shard_sizing.model.law.bursts import MOST_CV
from shard_sizing.model.workload.measured import Measured
from shard_sizing.model.workload.profile import Growth, Profile, grown, synthetic

Command = Callable[..., int]
FILE: Final = click.Path(path_type=Path, dir_okay=False)


SHARED_NAMES: Final = ("seed", "region", "limits", "prices", "plot", "report")
"""What a command may leave out of the shared options; it is then refused like any unknown option."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What every command may be given.

    Attributes:
        as_json: Whether the result is printed as JSON, for programs.
        seed: Makes the result reproducible.
        region: AWS Region, for prices and quotas.
        limits: The limits of shards and accounts.
        price_file: Prices of all Regions that are known.
        plot: Where to draw the result, if anywhere.
        report: Where to write the result as HTML, if anywhere.
        show_progress: Whether long work shows how far it is.
    """

    as_json: bool
    seed: int
    region: str
    limits: Limits
    price_file: Prices
    plot: Path | None
    report: Path | None
    show_progress: bool

    @property
    def prices(self) -> RegionPrices:
        """The Region's prices.

        Raises:
            InputError: The price file does not know the Region.
        """
        return self.price_file.region(self.region)

    @property
    def known_prices(self) -> RegionPrices:
        """The Region's prices as far as they are known, perhaps none: for results that do not need prices."""
        known = self.region in self.price_file.regions
        return self.prices if known else RegionPrices(self.region, {}, {})


def shared_options(*, without: Collection[str] = ()) -> Callable[[Command], Command]:
    """Add the options of every command; it gets them as ``shared``.

    Args:
        without: Those of ``SHARED_NAMES`` that the command has no use for, and therefore refuses.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(
            *,
            as_json: bool,
            no_progress: bool,
            seed: int = 1,
            region: str = "us-east-1",
            limits_file: Path | None = None,
            prices_file: Path | None = None,
            plot: Path | None = None,
            report: Path | None = None,
            **others: Any,
        ) -> int:
            limits, prices = load_limits(limits_file), load_prices(prices_file)
            _check_region(region, limits, prices)
            for path, endings, what in ((plot, (".png", ".svg"), "a plot"), (report, (".html",), "a report")):
                if path is not None:
                    _check_file(path, endings, what)
            shared = Shared(as_json, seed, region, limits, prices, plot, report, not no_progress)
            return command(shared=shared, **others)

        options = {
            "seed": click.option(
                "--seed",
                type=click.IntRange(min=0),
                default=1,
                show_default=True,
                help="Seed of the random numbers: the same seed gives the same answer.",
            ),
            "region": click.option(
                "--region", default="us-east-1", show_default=True, help="AWS Region: its quotas and prices."
            ),
            "limits": click.option(
                "--limits",
                "limits_file",
                type=FILE,
                help="Your own limits (TOML), in place of the bundled ones.",
            ),
            "prices": click.option(
                "--prices",
                "prices_file",
                type=FILE,
                help="Your own prices (TOML), in place of the bundled ones.",
            ),
            "plot": click.option("--plot", type=FILE, help="Draw the answer as .png or .svg."),
            "report": click.option("--report", type=FILE, help="Write the answer as one .html file."),
        }
        return with_options(
            wrapped,
            click.option(
                "--json", "as_json", is_flag=True, help="Print JSON for programs; its schema is versioned."
            ),
            click.option("--no-progress", is_flag=True, help="Show no progress."),
            *(options[name] for name in SHARED_NAMES if name not in without),
        )

    return decorate


def _check_file(path: Path, endings: Sequence[str], what: str) -> None:
    """Refuse a file name with another ending.

    Raises:
        click.BadParameter: The message names the endings.
    """
    if path.suffix not in endings:
        raise click.BadParameter(f"{path}: {what} is a file with the ending {' or '.join(endings)}")


def _check_region(region: str, limits: Limits, prices: Prices) -> None:
    """Refuse a Region that neither the data files nor botocore's list of Kinesis endpoints knows.

    Raises:
        InputError: The message names those that are known.
    """
    named = {*limits.shard_quota, *prices.regions} - {"default"}
    if region in named:
        return
    known = {*named, *boto3.Session().get_available_regions("kinesis")}
    if region not in known:
        raise InputError(f"region {region}", f"no such Region; known are {', '.join(sorted(known))}")


_OF_MADE_UP: Final = {
    "peak": "--peak",
    "record_bytes": "--bytes",
    "bytes_cv": "--bytes-cv",
    "zipf": "--zipf",
    "keys": "--keys",
}
"""What describes a made-up workload, and what a profile knows better: beside a profile it is refused."""


def workload_options(command: Command) -> Command:
    """Add the options that name a workload, a profile file or its figures; it gets it as ``profile``."""

    @functools.wraps(command)
    def wrapped(
        *,
        profile_file: Path | None,
        rate: float | None,
        peak: float | None,
        record_bytes: float,
        bytes_cv: float,
        zipf: float,
        burst_cv: float | None,
        keys: int,
        growth: float,
        growth_by: Growth | None,
        **others: Any,
    ) -> int:
        if (profile_file is None) == (rate is None):
            raise InputError("workload", "give a profile file or --rate: one of the two")
        if peak is not None and rate is not None and peak < rate:
            raise InputError("--peak", f"the busiest minutes' {peak:g} is below the average of {rate:g}")
        if profile_file is None:
            made_up = synthetic(rate or 0.0, record_bytes, zipf, 0.0, keys, peak=peak, bytes_cv=bytes_cv)
        else:
            _refuse_beside_a_profile()
        found = read_profile(profile_file) if profile_file else made_up
        if burst_cv is not None:
            found = msgspec.structs.replace(found, burst_cv=burst_cv, resolution=1)
        if found.resolution > 1:
            told = (
                f"note: the sampled times are in steps of {found.resolution} s, so bursts within them "
                "are not known and none are assumed; give --burst-cv as measured on live traffic"
            )
            note(told)
        return command(profile=grown_by(found, growth, growth_by), **others)

    positive = Number(min=0, min_open=True)
    return with_options(
        wrapped,
        click.argument("profile_file", metavar="[PROFILE]", type=FILE, required=False),
        click.option("--rate", type=positive, help="Mean records per second, in place of a profile."),
        click.option(
            "--peak", type=positive, help="Records per second in the busiest minutes; by default as --rate."
        ),
        click.option(
            "--bytes",
            "record_bytes",
            type=positive,
            default=500,
            show_default=True,
            help="Mean bytes of a record, its key included.",
        ),
        click.option(
            "--bytes-cv",
            type=Number(min=0),
            default=0.0,
            show_default=True,
            help="Spread of the sizes: standard deviation over mean, lognormal; 0 makes all equal.",
        ),
        click.option(
            "--zipf",
            type=Number(min=0),
            default=0.0,
            show_default=True,
            help="Zipf exponent of the keys' loads; 0 is even.",
        ),
        click.option(
            "--keys",
            type=click.IntRange(1, 1_000_000_000),
            default=100_000,
            show_default=True,
            help="Distinct keys; the fewer, the lumpier the load.",
        ),
        click.option(
            "--burst-cv",
            type=Number(min=0, max=MOST_CV),
            help="Variation of the rate from second to second, standard deviation over mean; by default the "
            "profile's, or 0.",
        ),
        *GROWTH,
    )


GROWTH: Final = (
    click.option(
        "--growth",
        type=Number(min=0, min_open=True),
        default=1.0,
        show_default=True,
        help="Plan for so many times the records per second.",
    ),
    click.option(
        "--growth-by",
        type=click.Choice(["busier-keys", "more-keys"]),
        help="What grows: the same keys come more often (the default), or there are more of them.",
    ),
)


def grown_by(profile: Profile, growth: float, by: Growth | None) -> Profile:
    """Return a profile as it has grown, and note what was assumed where no option says it."""
    if growth == 1:
        refuse_unused("needs --growth", "growth_by")
    if growth > 1 and by is None and profile.records:
        told = (
            f"note: growth is taken to make each key {growth:,g} times as busy; if there will be more keys, "
            "as busy as today's (more orders, not larger ones), say --growth-by more-keys"
        )
        note(told)
    return grown(profile, growth, by or "busier-keys")


def _refuse_beside_a_profile() -> None:
    for name, option in _OF_MADE_UP.items():
        if given(name):
            raise InputError(option, "it describes a made-up workload; the profile file has its own")


def with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Add options to a command, in the order in which its help lists them."""
    for option in reversed(options):
        command = option(command)
    return command


def read_profile(path: Path) -> Profile:
    """Read a profile that ``sample`` or ``measure`` wrote.

    Raises:
        InputError: It cannot be read, or is none.
    """
    try:
        raw = path.read_bytes()
        measured = "stream" in msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(raw, type=Measured if measured else Profile)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"not a profile: {error}") from error
