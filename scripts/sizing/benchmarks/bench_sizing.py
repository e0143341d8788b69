"""Speed of the sizing tool: 10 million events sampled, sizes up to 20,000 shards, 5,000 shards simulated.

Run ``make bench-sizing``. Each part is a process of its own, as its user starts it; its CPU seconds, what the
clock showed, and its peak memory are printed, and the exit status is 1 if a level is not held. Levels are of
CPU seconds: another's work on the machine changes the clock's.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

EVENTS, CHUNK = 10_000_000, 500_000
LEVELS = {"sample": 60, "size": 5, "simulate": 5}
SAMPLE_MIB = 300

PROFILE = "PROFILE"
"""Stands for the profile of the sampled events."""

SALT = ("--salt", "1000", "--salt-heaviest", "1000")

PARTS = (
    # what, its arguments
    ("size, 20,000/s, Zipf 0.8", ("size", "--rate", "20000", "--zipf", "0.8")),
    ("size, bursts no count carries", ("size", "--rate", "7000", "--zipf", "1.1", "--burst-cv", "0.25")),
    ("size, 1,000,000/s, CV 0.25", ("size", "--rate", "1000000", "--burst-cv", "0.25")),
    ("size, thousands of shards", ("size", "--rate", "4000000", "--keys", "200000")),
    ("size, more than the quota", ("size", "--rate", "1e12")),
    ("size, lognormal sizes", ("size", "--rate", "20000", "--bytes", "5000", "--bytes-cv", "2")),
    ("simulate, 5,000 shards", ("simulate", "--rate", "2500000", "--shards", "5000")),
    ("size, one reading without a number", ("size", "--rate", "7000", "--zipf", "1.1")),
    ("simulate, salted", ("simulate", "--rate", "2500000", "--shards", "5000", *SALT, "--zipf", "1.1")),
    ("simulate, a million sub-keys", ("simulate", PROFILE, "--shards", "5000", *SALT)),
)


def write_events(path: Path) -> None:
    """Write skewed events of an hour as CSV."""
    rng = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("key,when,size\n")
        for start in range(0, EVENTS, CHUNK):
            keys = np.minimum(rng.zipf(1.2, CHUNK), 1_000_000)
            times = (np.arange(start, start + CHUNK) / EVENTS * 3_600).round(3)
            sizes = rng.integers(100, 900, CHUNK)
            rows = zip(keys.tolist(), times.tolist(), sizes.tolist(), strict=True)
            file.writelines(f"customer-{key},{at},{size}\n" for key, at, size in rows)


def run(*arguments: str) -> tuple[float, float, float]:
    """Run a command; return its CPU seconds, the clock's, and its peak MiB.

    A verdict of misfit is fine, wrong input is not.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "shard_sizing.cli.main", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2, 3):
        raise SystemExit(f"{arguments[0]} failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> int:
    """Measure each part and hold it against what is promised."""
    held = True
    with tempfile.TemporaryDirectory(prefix="bench-sizing-") as scratch:
        events, profile = Path(scratch) / "events.csv", Path(scratch) / "profile.json"
        write_events(events)
        columns = ("--key", "key", "--timestamp", "when", "--size", "size", "--out", str(profile))
        parts = [("sample, 10 M events", ("sample", str(events), *columns))]
        for name, arguments in (*parts, *PARTS):
            cpu, clock, peak = run(*(str(profile) if word == PROFILE else word for word in arguments))
            seconds = LEVELS[arguments[0]]
            mib = SAMPLE_MIB if arguments[0] == "sample" else None
            fits = cpu < seconds and (mib is None or peak < mib)
            held &= fits
            promised = f"{seconds} s" + (f", {mib} MiB" if mib else "")
            verdict = "held" if fits else "NOT HELD"
            print(
                f"{name:35} {cpu:6.1f} s CPU {clock:6.1f} s {peak:6.0f} MiB   level {promised:12} {verdict}"
            )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
