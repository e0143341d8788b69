"""Plays many histories on all cores: ``python -m fakes.engine_world.seeds FROM SEEDS`` in ``tests``."""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from fakes.engine_world.history import play

BLOCK = 100


def broken(seeds: range) -> list[tuple[int, str]]:
    """Play histories; the seeds of those that break a rule, each with what it breaks."""
    found = []
    for seed in seeds:
        try:
            play(seed)
        except Exception as error:  # noqa: BLE001 - a defect may break the engine in any way
            found.append((seed, f"{type(error).__name__}: {error}"))
    return found


def main(first: int, count: int) -> int:
    """Play them all; the exit status is 1 if one breaks a rule."""
    began = time.monotonic()
    end = first + count
    blocks = [range(start, min(start + BLOCK, end)) for start in range(first, end, BLOCK)]
    failed = 0
    with ProcessPoolExecutor(os.cpu_count()) as executor:
        for number, found in enumerate(executor.map(broken, blocks), 1):
            failed += len(found)
            for seed, what in found:
                print(f"seed {seed}: {what}\n    cd tests && python -m fakes.engine_world.history {seed}")
            if number % 50 == 0 or number == len(blocks):
                print(f"{blocks[number - 1].stop - first} of {count} histories", flush=True)
    print(f"{failed} of {count} histories broke a rule; {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
