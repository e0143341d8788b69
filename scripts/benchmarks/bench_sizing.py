"""Speed of the sizing tool: 10 million events sampled, a full size, a simulation of 1,000 shards.

Run ``make bench-sizing``. Each part is a process of its own, as its user starts it; its seconds
and peak memory are printed, and the exit code is 1 if one is not held.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

EVENTS, CHUNK = 10_000_000, 500_000
SAMPLE_SECONDS, SAMPLE_MIB = 60, 300
SIZE_SECONDS, SIMULATE_SECONDS = 5, 30


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


def run(*arguments: str) -> tuple[float, float]:
    """Run a command; return its seconds and its peak MiB. A verdict of misfit is fine, wrong input is not."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "shard_sizing.cli.main", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2, 3):
        raise SystemExit(f"{arguments[0]} failed with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> int:
    """Measure each part and hold it against what is promised."""
    held = True
    with tempfile.TemporaryDirectory(prefix="bench-sizing-") as scratch:
        events, profile = Path(scratch) / "events.csv", Path(scratch) / "profile.json"
        write_events(events)
        columns = ("--key", "key", "--timestamp", "when", "--size", "size", "--out", str(profile))
        hopeless = ("size", "--rate", "7000", "--zipf", "1.1", "--burst-cv", "0.25")
        parts = (
            ("sample, 10 M events", SAMPLE_SECONDS, SAMPLE_MIB, ("sample", str(events), *columns)),
            ("size, 20,000/s, Zipf 0.8", SIZE_SECONDS, None, ("size", "--rate", "20000", "--zipf", "0.8")),
            ("size, hopeless bursts", SIZE_SECONDS, None, hopeless),
            (
                "simulate, 1,000 shards",
                SIMULATE_SECONDS,
                None,
                ("simulate", "--rate", "500000", "--shards", "1000"),
            ),
        )
        for name, seconds, mib, arguments in parts:
            took, peak = run(*arguments)
            fits = took < seconds and (mib is None or peak < mib)
            held &= fits
            promised = f"{seconds} s" + (f", {mib} MiB" if mib else "")
            verdict = "held" if fits else "NOT HELD"
            print(f"{name:28} {took:6.1f} s {peak:6.0f} MiB   promised {promised:12} {verdict}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
