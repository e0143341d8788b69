"""Plays real orders through real processes while these are killed, frozen and resharded; judges the books.

Every plan follows from its seed. Exit status 0 only if the books of every run balance, seen from outside::

    make chaos SEEDS=3 SEED=1
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import boto3

from chaos.plan import Event, Trouble, plan_of
from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from orderstream_workers.local.environment import Layout
from orderstream_workers.local.lifecycle import read_state

FROZEN_SECONDS = 10.0
"""Longer than a local lease lasts."""


class Pipeline:
    """The processes of one environment, and what is done to them.

    Args:
        home: Folder of its files.
    """

    def __init__(self, home: Path) -> None:
        state = read_state(home)
        assert state is not None
        self.layout = Layout(home, state.options)
        self._specs = {spec.name: spec for spec in self.layout.pipeline()}
        self._pids = {process.name: process.pid for process in state.processes}
        self._frozen: list[tuple[float, int]] = []
        self.started: list[subprocess.Popen[bytes]] = []

    @property
    def names(self) -> list[str]:
        """What can be killed."""
        return sorted(self._specs)

    def suffer(self, event: Event) -> None:
        """Let one event happen."""
        self.thaw()
        match event.trouble:
            case Trouble.KILL:
                self._signal(self._pids[event.target], signal.SIGKILL)
                self._replace(event.target)
            case Trouble.FREEZE:
                self._signal(self._pids[event.target], signal.SIGSTOP)
                self._frozen.append((time.monotonic() + FROZEN_SECONDS, self._pids[event.target]))
                # A frozen process keeps its ports: the API has no second, and a worker's serves no health.
                if event.target != "api":
                    self._replace(event.target, {"ORDERSTREAM_HEALTH_PORT": "0"})
            case Trouble.DOUBLE:
                self._scale(2)
            case Trouble.HALVE:
                self._scale(0.5)

    def thaw(self, *, all_of_them: bool = False) -> None:
        """Wake the processes that have been frozen long enough: they are zombies now."""
        now = time.monotonic()
        due = [(until, pid) for until, pid in self._frozen if all_of_them or until <= now]
        self._frozen = [entry for entry in self._frozen if entry not in due]
        for _, pid in due:
            self._signal(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End what was started here; the environment's own processes are ended by its own command."""
        self.thaw(all_of_them=True)
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait(timeout=60)

    def _replace(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        spec = self._specs[name]
        log = self.layout.logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                spec.command,
                env={**os.environ, **spec.environment, **(extra or {})},
                stdout=output,
                stderr=output,
            )
        self.started.append(process)
        self._pids[name] = process.pid

    def _scale(self, factor: float) -> None:
        kinesis = boto3.client(
            "kinesis",
            endpoint_url=self.layout.kinesis_url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        summary = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
        target = int(summary["OpenShardCount"] * factor)
        kinesis.update_shard_count(
            StreamName="orders", TargetShardCount=target, ScalingType="UNIFORM_SCALING"
        )
        kinesis.close()

    @staticmethod
    def _signal(pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it was killed before
            os.kill(pid, number)


def play(seed: int, limit: int, seconds: float, folder: Path) -> bool:
    """Play one seed's run and say whether its books balance."""
    home, out, port = folder / "home", folder / "out", free_base_port()
    subprocess.run(orderstream(home, port, "local", "up"), check=True, stdout=subprocess.DEVNULL)
    pipeline = Pipeline(home)
    demo = subprocess.Popen(
        orderstream(
            *(home, port, "demo", "--orders", str(INVOICES), "--limit", str(limit)),
            *("--out", str(out), "--no-progress"),
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    try:
        for line in demo.stdout:
            if "playing" in line:
                break
        events = plan_of(seed, pipeline.names, seconds)
        happened = 0
        for event in events:
            time.sleep(event.after)
            if demo.poll() is not None:
                break
            pipeline.suffer(event)
            happened += 1
        time.sleep(FROZEN_SECONDS)
        pipeline.thaw(all_of_them=True)
        printed, _ = demo.communicate(timeout=300)
        judged = reconcile(out, limit) if demo.returncode == 0 else None
        balanced = judged is not None and judged.returncode == 0
        print(
            f"seed {seed}: {happened} of {len(events)} events, {'balanced' if balanced else 'NOT BALANCED'}"
        )
        if not balanced:
            print(printed, judged.stdout if judged else "", sep="\n")
        return balanced
    finally:
        demo.kill()
        demo.wait()
        pipeline.stop()
        subprocess.run(orderstream(home, 0, "local", "down"), check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Read the command line and play the seeds."""
    parser = argparse.ArgumentParser(description="Play orders while the pipeline suffers.")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first")
    parser.add_argument("--limit", type=int, default=150, help="invoices of each run")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long trouble lasts")
    given = parser.parse_args()
    failed = []
    for seed in range(given.seed, given.seed + given.seeds):
        folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
        if play(seed, given.limit, given.seconds, folder):
            shutil.rmtree(folder)
        else:
            print(f"the files of seed {seed} are in {folder}")
            failed.append(seed)
    print(f"{given.seeds - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
