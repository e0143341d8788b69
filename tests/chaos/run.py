"""Plays real orders through real processes while everything goes wrong; judges the books.

Every plan follows from its seed. Exit status 0 only if the books of every run balance, seen from outside, and
nothing was parked, and the plan's faults really struck::

    make chaos SEEDS=3 SEED=1 ENGINE=embedded
    make chaos PLAN=skew SEEDS=1
    make chaos-outage

Each run prints a line and leaves one in ``results.jsonl`` of the output folder; what passed there already is
not played again.
"""

import argparse
import datetime as dt
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import get_args

from chaos.adjusting import NAME, adjustment_violations
from chaos.faults import Rates
from chaos.gateway import Gateway
from chaos.guard import Guard
from chaos.invariants import Inspection
from chaos.pipeline import Pipeline
from chaos.plan import OUTAGE_SECONDS, Plan, outage_plan, plan_of, skew_plan
from chaos.progress import progress_violations
from chaos.replay import at_rest, books_of, replay_violations
from chaos.traces import trace_violations
from chaos.verdict import (
    TEETH,
    Verdict,
    accepted_between,
    counts_of,
    missed,
    overgrown,
    passed,
    revision_of,
    toothless,
    unanswered,
)
from e2e.logged import judge_logs
from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from orderstream_consumer.engines.config import Engine
from orderstream_playground.local.environment import EnvironmentOptions
from rights.roles import bucket_policies, roles, without_role

PAYMENTS_PER_SECOND = 10
"""Low enough for payments to be under way as long as trouble lasts, high enough to come in batches."""

LINGER_SECONDS: Mapping[Engine, float] = {"embedded": 240.0, "kcl": 600.0}
"""For which faults may stay on after the last event, until each kind of them has struck."""

CLOCK_ERRORS = (-3_600.0, 0.0, 3_600.0)
"""Seconds by which the clocks of some hosts are wrong."""

MOST_LINES = 20
"""Lines of logs that are shown, of those with something wrong."""

ZOMBIE_SECONDS = 3.0
"""For which faults stay on after the last zombie has woken up."""

REST_SECONDS: Mapping[Engine, float] = {"embedded": 300.0, "kcl": 1500.0}
"""In which a run has to come to rest after the last trouble. KCL assigns no lease for two and a half minutes
after the worker that leads the others was killed, makes a deleted lease anew at the third audit, two minutes
apart, and reads the shard and its ancestors from the beginning."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run to be played.

    Attributes:
        kind: ``all``, ``skew``, ``dynamodb-outage`` or ``provider-outage``.
        seed: Of its plan.
        engine: What the stream consumers run on.
        limit: Invoices.
        seconds: How long trouble lasts in a plan of kind ``all`` or ``skew``.
        base_port: First of its ports; 0 looks for free ones.
    """

    kind: str
    seed: int
    engine: Engine
    limit: int
    seconds: float
    base_port: int = 0

    def plan(self, processes: list[str]) -> Plan:
        """What goes wrong in it."""
        if self.kind == "all":
            return plan_of(self.seed, processes, self.seconds)
        if self.kind == "skew":
            return skew_plan(self.seed, [name for name in processes if name != "stock-bridge"], self.seconds)
        service = {"dynamodb-outage": "dynamodb", "provider-outage": "payments"}[self.kind]
        return outage_plan(self.seed, service)

    @property
    def command(self) -> str:
        """Replays it."""
        return (
            f"make chaos PLAN={self.kind} SEEDS=1 SEED={self.seed} ENGINE={self.engine} "
            f"LIMIT={self.limit} SECONDS={self.seconds:g}"
        )


class Run:
    """One run in a folder of its own.

    Args:
        job: What is to be played.
        folder: Takes the logs and the output.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self.job = job
        self.out = folder / "out"
        self._home = folder / "home"
        self._happened: Counter[str] = Counter()
        self._outage: tuple[dt.datetime, dt.datetime] | None = None

    def play(self) -> Verdict:
        """Play it to its end and judge it."""
        began = time.monotonic()
        job = self.job
        # The plan's share of declined cards has to be known before the provider starts.
        declines = job.plan(["any"]).decline_percent
        options = EnvironmentOptions(
            payments_per_second=PAYMENTS_PER_SECOND,
            decline_percent=declines,
            seed=job.seed,
            engine=job.engine,
            base_port=job.base_port or free_base_port(),
        )
        # Orders are accepted all through an outage of the services' tables: the API has none to wait for.
        spared = frozenset({"api"} if job.kind == "dynamodb-outage" else ())
        # KCL's own tables are not deployed, so its roles are not synthesized.
        guard = (
            Guard(roles(), bucket_policies(), without_role() | {NAME}) if job.engine == "embedded" else None
        )
        with Gateway(job.seed, guard=guard) as gateway:
            pipeline = Pipeline(self._home, options, gateway, spared)
            try:
                pipeline.up()
                broke = list(self._suffer(pipeline, gateway, job.plan(pipeline.names)))
                faults, memory = pipeline.struck(), pipeline.memory()
                broke += pipeline.crowding()
                broke += overgrown(memory, pipeline.names)
                broke += [f"{name} had ended by itself" for name in pipeline.fallen]
                if job.kind == "all" and not pipeline.taken_over:
                    broke.append("nobody took over what a frozen process held")
            finally:
                pipeline.down()
        broke += trace_violations(self._home, pipeline.kills, CLOCK_ERRORS)
        broke += [f"{name} did not drain after SIGTERM" for name in pipeline.late]
        broke += islice(judge_logs(self._home, job.limit), MOST_LINES)
        broke += unanswered(self._home / "logs", job.kind)
        broke += toothless(job.kind, faults)
        broke += sorted({str(refusal) for refusal in guard.refusals}) if guard else []
        orders, confirmed, cancelled = counts_of(self.out)
        return Verdict(
            plan=job.kind,
            engine=job.engine,
            seed=job.seed,
            events=dict(sorted(self._happened.items())),
            faults=faults,
            orders=orders,
            confirmed=confirmed,
            cancelled=cancelled,
            seconds=round(time.monotonic() - began, 1),
            memory=memory,
            broke=tuple(broke),
        )

    def _suffer(self, pipeline: Pipeline, gateway: Gateway, plan: Plan) -> Iterator[str]:
        demo = self._demo(pipeline.layout.options)
        try:
            assert demo.stdout is not None
            next((line for line in demo.stdout if "playing" in line), None)
            pipeline.arm(plan.kinesis)
            gateway.rates = plan.aws
            for event in plan.events:
                time.sleep(event.after)
                if demo.poll() is not None:
                    yield f"the run was over after {self._happened.total()} of {len(plan.events)} events"
                    break
                pipeline.suffer(event)
                self._happened[event.trouble] += 1
                if event.demand.get("outage_seconds", event.demand.get("seconds")) == OUTAGE_SECONDS:
                    now = dt.datetime.now(dt.UTC)
                    self._outage = now, now + dt.timedelta(seconds=OUTAGE_SECONDS)
            self._linger(pipeline)
            gateway.rates = Rates()
            pipeline.peace()
            yield from self._judge(demo, plan)
            layout = pipeline.layout
            # Both engines delete the leases of ended shards, sooner or later.
            with Inspection(layout.kinesis_url, layout.aws_url, leases_are_deleted=True) as inspection:
                yield from at_rest(inspection.violations)
                yield from self._adjusted(pipeline, inspection)
                yield from self._progress(pipeline, inspection)
                yield from self._replayed(pipeline, inspection)
        finally:
            demo.kill()
            demo.communicate()

    def _linger(self, pipeline: Pipeline) -> None:
        """Leave the faults on until each kind has struck and every frozen process has become a zombie."""
        deadline = time.monotonic() + LINGER_SECONDS[self.job.engine]
        while time.monotonic() < deadline:
            pipeline.thaw()
            if not pipeline.frozen and not list(toothless(self.job.kind, pipeline.struck())):
                break
            time.sleep(0.5)
        time.sleep(ZOMBIE_SECONDS)

    def _adjusted(self, pipeline: Pipeline, inspection: Inspection) -> Iterator[str]:
        """What became of the stock that an operator has moved meanwhile."""
        done = pipeline.operator.done
        yield from pipeline.operator.failed
        if self.job.kind == "all" and not done:
            yield "the operator has adjusted no stock"
        yield from at_rest(lambda: list(adjustment_violations(done, pipeline.stock(), inspection.messages())))

    def _progress(self, pipeline: Pipeline, inspection: Inspection) -> Iterator[str]:
        """What the checkpoints say that were seen while trouble lasted."""
        samples = pipeline.watched()
        if not any(sample.shown for sample in samples):
            yield "no checkpoint was looked at while trouble lasted"
        yield from progress_violations(samples, inspection.messages())

    def _replayed(self, pipeline: Pipeline, inspection: Inspection) -> Iterator[str]:
        """What it changes that every application reads its stream once more: nothing."""
        layout = pipeline.layout
        where = layout.aws_url, layout.payments_api_url, layout.home / "read-model.sqlite"
        before = books_of(*where)
        pipeline.rewind()
        for wrong in at_rest(inspection.violations, REST_SECONDS[self.job.engine]):
            yield f"after the replay: {wrong}"
        yield from replay_violations(before, books_of(*where))

    def _demo(self, options: EnvironmentOptions) -> "subprocess.Popen[str]":
        command = orderstream(
            *(self._home, options.base_port, "demo", "--orders", str(INVOICES)),
            *("--limit", str(self.job.limit), "--out", str(self.out), "--no-progress"),
            *("--seed", str(options.seed), "--decline-percent", str(options.decline_percent)),
            *("--payments-per-second", str(options.payments_per_second), "--engine", options.engine),
        )
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def _judge(self, demo: "subprocess.Popen[str]", plan: Plan) -> Iterator[str]:
        try:
            printed, _ = demo.communicate(timeout=REST_SECONDS[self.job.engine])
        except subprocess.TimeoutExpired:
            yield f"the run did not come to rest within {REST_SECONDS[self.job.engine]:g} s"
            return
        if demo.returncode != 0:
            yield "the demo failed: " + printed.strip()[-1500:]
            return
        judged = reconcile(
            self.out, self.job.limit, "--seed", str(plan.seed), "--decline-percent", str(plan.decline_percent)
        )
        if judged.returncode != 0:
            yield from (judged.stdout + judged.stderr).splitlines()
        dead_letters = json.loads((self.out / "summary.json").read_text())["dead_letters"]
        if dead_letters:
            yield f"{dead_letters} dead letters"
        if self._outage and not accepted_between(self.out, *self._outage):
            yield "no order was accepted during the outage"


def campaign(jobs: list[Job], folder: Path) -> int:
    """Play what has not passed yet; returns how much is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    revision = revision_of(Path(__file__).parent)
    failed = 0
    for job in jobs:
        if job.seed in passed(folder, job.command, revision):
            print(f"{job.kind} seed {job.seed} ({job.engine}): passed before")
            continue
        files = folder / f"{job.kind}-{job.engine}-{job.seed}"
        shutil.rmtree(files, ignore_errors=True)
        verdict = Run(job, files).play()
        verdict.record(folder, job.command, revision)
        print(verdict.line, flush=True)
        if verdict.broke:
            failed += 1
            print(*verdict.broke, f"replay it with: {job.command}", f"its logs are in {files}", sep="\n")
        else:
            shutil.rmtree(files)
    print(f"{len(jobs) - failed} passed, {failed} failed", *missed(folder), sep="\n", flush=True)
    return failed + len(list(missed(folder)))


def main() -> int:
    """Read the command line and play the seeds."""
    parser = argparse.ArgumentParser(description="Play orders while everything goes wrong.")
    parser.add_argument("--plan", choices=sorted(TEETH), default="all", help="what goes wrong")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first")
    parser.add_argument("--engine", choices=get_args(Engine), default="embedded")
    parser.add_argument("--limit", type=int, default=90, help="invoices of each run")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long trouble lasts")
    parser.add_argument("--base-port", type=int, default=0, help="first port; 0 looks for free ones")
    parser.add_argument("--out", type=Path, default=Path("out/chaos"), help="folder of the record")
    given = parser.parse_args()
    jobs = [
        Job(given.plan, seed, given.engine, given.limit, given.seconds, given.base_port)
        for seed in range(given.seed, given.seed + given.seeds)
    ]
    return 1 if campaign(jobs, given.out) else 0


if __name__ == "__main__":
    sys.exit(main())
