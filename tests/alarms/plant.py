"""A trial for people: an environment with orders, and one hidden fault that they are to find.

::

    PYTHONPATH=tests python -m alarms.plant SEED --home /tmp/trial

It starts the environment, lets orders flow, and after a while plants the fault that the seed
chooses. Players have the operations guide, the commands, metrics, traces and logs, and not this file. Enter
ends the trial: it says what was planted and since when, and stops everything.
"""

import argparse
import datetime as dt
import random
import sys
import time
from pathlib import Path

from alarms.faults import FAULTS
from alarms.world import running
from orderstream.observability.metrics.exporting import PERIOD

_RATE = 2.0
_QUIET_SECONDS = (40.0, 120.0)


def main() -> int:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description="Plant one hidden fault, for a person to find.")
    parser.add_argument("seed", type=int, help="chooses the fault, and when it is planted")
    parser.add_argument("--home", type=Path, required=True, help="folder of the environment")
    parser.add_argument("--minute", type=float, default=PERIOD, help="seconds that a minute of metrics lasts")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    fault = chance.choice(FAULTS)
    with running(given.home, minute=given.minute, seed=given.seed) as world:
        world.flow.start(_RATE)
        print(f"up, and orders flow; look at it with --home {given.home}", flush=True)
        time.sleep(chance.uniform(*_QUIET_SECONDS))
        began = dt.datetime.now(dt.UTC)
        with fault.strike(world):
            print("something is wrong now; Enter ends the trial", flush=True)
            sys.stdin.readline()
        lasted = dt.datetime.now(dt.UTC) - began
        print(f"planted {began:%H:%M:%S}, {lasted.total_seconds():.0f} s ago: {fault.name} ({fault.does})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
