"""Plays many histories: ``python -m fakes.engine_world.seeds FROM SEEDS [JOBS]`` in ``tests``.

Each block of them is told when it is done, so that a run that is ended early is worth what it played.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from fakes.engine_world.history import play

BLOCK = 100


@dataclass(frozen=True)
class Played:
    """A block of histories.

    Attributes:
        broken: The seeds that break a rule, each with what it breaks.
        cpu: Seconds of CPU time.
    """

    broken: list[tuple[int, str]]
    cpu: float


def played(seeds: range) -> Played:
    """Play histories."""
    began = time.process_time()
    broken = []
    for seed in seeds:
        try:
            play(seed)
        except Exception as error:  # noqa: BLE001 - a defect may break the engine in any way
            broken.append((seed, f"{type(error).__name__}: {error}"))
    return Played(broken, time.process_time() - began)


def main(first: int, count: int, jobs: int) -> int:
    """Play them all; the exit status is 1 if one breaks a rule."""
    began = time.monotonic()
    end = first + count
    blocks = [range(start, min(start + BLOCK, end)) for start in range(first, end, BLOCK)]
    failed, cpu = 0, 0.0
    with ProcessPoolExecutor(jobs) as executor:
        for block, done in zip(blocks, executor.map(played, blocks), strict=True):
            failed, cpu = failed + len(done.broken), cpu + done.cpu
            for seed, what in done.broken:
                print(f"seed {seed}: {what}\n    cd tests && python -m fakes.engine_world.history {seed}")
            print(
                f"{block.stop - first} of {count} histories, the last of seed {block.stop - 1}: "
                f"{failed} broke a rule; {cpu:.0f} s of CPU time, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else os.cpu_count() or 1))
