"""A host whose clock is wrong: a process is started under libfaketime, which shifts the wall clock alone."""

from dataclasses import replace
from pathlib import Path

import libfaketime

from orderstream_playground.local.processes import ProcessSpec

_LIBRARY = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"


def skewed(spec: ProcessSpec, hours: float) -> ProcessSpec:
    """The same process on a host whose clock is ahead; its monotonic clock stays right, as on a real host.

    Args:
        spec: The process.
        hours: By which the clock is ahead; negative if it is behind.
    """
    clock = {
        "LD_PRELOAD": str(_LIBRARY),
        "FAKETIME": f"{hours:+g}h",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        # Else libfaketime shifts Java's waits by the monotonic clock as well: each of them ends at once, and
        # KCL's timers run in circles.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
    return replace(spec, environment={**spec.environment, **clock})
