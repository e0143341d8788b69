"""Shows that simulations and property tests find what they are there for: plants defect after defect.

The shipped packages are copied, never changed. ``python -m planted.run [--jobs N] [SUITE ...]`` in ``tests``;
exit code 1 if a defect stays unseen. Suites: producer, engine, pipeline.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import orderstream
import orderstream_consumer
import orderstream_orders
import orderstream_workers
from planted import engine, pipeline, producer
from planted.bug import Bug

SEEDS = 1000
TESTS = Path(__file__).parents[1]
PACKAGES = tuple(
    Path(str(package.__file__)).parent
    for package in (orderstream, orderstream_orders, orderstream_consumer, orderstream_workers)
)
LONGEST = 3600
"""Seconds after which a hunt counts as having found nothing: enough for a busy machine."""


@dataclass(frozen=True)
class Suite:
    """Defects that are hunted in one way.

    Attributes:
        bugs: The defects.
        hunt: The arguments of the interpreter that hunts one; empty where each names its own tests.
    """

    bugs: Sequence[Bug]
    hunt: tuple[str, ...] = ()


SUITES = {
    "producer": Suite(producer.BUGS, ("-m", "fakes.kpl_simulation", "0", str(SEEDS))),
    "engine": Suite(engine.BUGS, ("-m", "fakes.engine_world.history", "0", str(SEEDS))),
    "pipeline": Suite(pipeline.BUGS),
}


@dataclass(frozen=True)
class Hunt:
    """How the hunt for a defect ended.

    Attributes:
        bug: The defect.
        found: What was said of it; None if nothing was found.
        seconds: How long it took.
    """

    bug: Bug
    found: str | None
    seconds: float


def hunt(suite: Suite, bug: Bug) -> Hunt:
    """Plant a defect in a copy and look whether it is found."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for package in PACKAGES:
            shutil.copytree(package, copy / package.name)
        bug.plant(copy)
        pytest = ("-m", "pytest", "-qx", "-p", "no:cacheprovider", "-o", "timeout=0", *bug.tests.split())
        try:
            ended = subprocess.run(
                [sys.executable, *(pytest if bug.tests else suite.hunt)],
                # What fails in a copy is not to be remembered in the project.
                env={
                    **os.environ,
                    "PYTHONPATH": f"{copy}:{TESTS}",
                    "HYPOTHESIS_STORAGE_DIRECTORY": directory,
                    "COLUMNS": "200",
                },
                cwd=TESTS.parent,
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST,
            )
            found = _said(ended) if ended.returncode else None
        except subprocess.TimeoutExpired:
            found = None
    return Hunt(bug, found, time.monotonic() - began)


def _said(ended: "subprocess.CompletedProcess[str]") -> str:
    """The line that says what was found.

    Raises:
        RuntimeError: There is none: what ended is not the hunt, but its way there.
    """
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    telling = [line for line in lines if line.startswith(("seed ", "FAILED "))]
    if not telling:
        raise RuntimeError("\n".join(["a hunt could not begin:", *lines[-5:]]))
    return telling[0][:160]


def main(names: Sequence[str], jobs: int | None = None) -> int:
    """Plant each, look, and tell; so many at the same time, by default as many as there are cores."""
    chosen = [(suite, bug) for name in names or SUITES for suite in (SUITES[name],) for bug in suite.bugs]
    unseen = []
    with ThreadPoolExecutor(jobs or os.cpu_count()) as executor:
        for ended in executor.map(lambda pair: hunt(*pair), chosen):
            mark = "found" if ended.found else "NOT FOUND"
            print(f"{mark:9} {ended.seconds:4.0f} s  {ended.bug.name}", flush=True)
            if ended.found:
                print(f"                   {ended.found}", flush=True)
            else:
                unseen.append(ended.bug.name)
    print(f"{len(chosen) - len(unseen)} of {len(chosen)} found")
    for name in unseen:
        print(f"NOT FOUND: {name}")
    return 1 if unseen else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Plant known defects in copies of the code, and hunt them.")
    parser.add_argument("--jobs", type=int, help="hunts at the same time; as many as cores by default")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all by default")
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - SUITES.keys():
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    sys.exit(main(arguments.suites, arguments.jobs))
