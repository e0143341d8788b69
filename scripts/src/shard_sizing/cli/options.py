"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from shard_sizing.errors import InputError
from shard_sizing.model.profile import Profile, synthetic

_F = TypeVar("_F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)


def workload_options(command: _F) -> _F:
    """Add the options that name a workload: a profile file, or its figures."""
    for option in reversed(
        [
            click.argument("profile", type=FILE, required=False),
            click.option("--rate", type=float, help="Records per second of a made-up workload."),
            click.option("--bytes", "record_bytes", type=float, default=500, show_default=True),
            click.option("--zipf", type=float, default=0.0, show_default=True, help="Key skew; 0 is even."),
            click.option("--burst-cv", type=float, default=0.0, show_default=True),
            click.option("--keys", type=click.IntRange(1, 200_000), default=100_000, show_default=True),
            click.option(
                "--growth", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True
            ),
            click.option("--json", "as_json", is_flag=True, help="Print JSON with a versioned schema."),
            click.option(
                "--limits", "limits_file", type=FILE, help="A limits file in place of the bundled one."
            ),
        ]
    ):
        command = option(command)
    return command


def workload(
    profile: Path | None,
    rate: float | None,
    record_bytes: float,
    zipf: float,
    burst_cv: float,
    keys: int,
    growth: float,
) -> Profile:
    """Return the workload that the options name, grown."""
    if (profile is None) == (rate is None):
        raise InputError("workload", "give either a profile file or --rate, not both and not neither")
    found = read_profile(profile) if profile else synthetic(rate or 0.0, record_bytes, zipf, burst_cv, keys)
    return msgspec.structs.replace(found, rate=found.rate * growth)


def read_profile(path: Path) -> Profile:
    """Read a profile that ``sample`` wrote."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Profile)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"not a profile: {error}") from error
