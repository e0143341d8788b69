"""``shard-sizing plan``."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import click

from shard_sizing.cli.parameters.demand_options import PERCENT, demand_options
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import Shared, shared_options, workload_options
from shard_sizing.cli.plan_words import call_of, call_words, plan_sheet
from shard_sizing.cli.planned import Planned
from shard_sizing.cli.presentation.output import counted, present, show_text
from shard_sizing.cli.presentation.progress import Waiting, progress
from shard_sizing.errors import InputError
from shard_sizing.live.account import room_for_shards
from shard_sizing.live.reshard import Resharding, Watch, kinesis, open_shards, stream_status
from shard_sizing.model.capacity.adequacy import Adequacy, Candidate, adequacy, choose, cut, cuttable
from shard_sizing.model.capacity.advice import notes
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.feasibility import way_out
from shard_sizing.model.capacity.simulate import STEPS
from shard_sizing.model.data_files import Limits
from shard_sizing.model.resharding.halving import halved_starts
from shard_sizing.model.resharding.planner import Plan, Step, UpdateCount, snapped_starts, uniform_starts
from shard_sizing.model.resharding.planner import plan as steps_to
from shard_sizing.model.resharding.staged import staged_plan
from shard_sizing.model.resharding.update_shard_count import update_shard_count_steps
from shard_sizing.model.workload.profile import Profile

_NEEDS_POSITIONS: Final = (
    "cuts a live stream only by what is known of its keys; give a profile that measure wrote, or one of a "
    "file in which every key is listed"
)
_NOT_APPLIED: Final = (
    "nothing was applied: the target does not suffice, or the way to it exceeds the quota; --force applies a "
    "target that does not suffice"
)


@click.command(
    cls=Command,
    examples=(
        "--rate 5000 --shards 4 --target 8",
        "live.json --stream orders --target 8",
        "live.json --stream orders --target 8 --apply",
    ),
)
@workload_options
@demand_options
@shared_options(without=("prices",))
@click.option(
    "--shards", type=click.IntRange(1, 20_000), help="How many shards there are now, in equal ranges."
)
@click.option("--stream", help="The live stream whose shards are to change.")
@click.option("--target", type=click.IntRange(1, 20_000), required=True, help="How many shards are wanted.")
@PERCENT
@click.option(
    "--apply", "do_apply", is_flag=True, help="Make the calls; run again to go on after an interruption."
)
@click.option("--force", is_flag=True, help="Make the calls although the target does not suffice.")
@click.option(
    "--cool-off",
    type=Number(0, 86_400),
    default=10.0,
    show_default=True,
    help="Seconds between two calls, for consumers to follow.",
)
def plan(
    *,
    profile: Profile,
    demand: Demand,
    shared: Shared,
    shards: int | None,
    stream: str | None,
    target: int,
    percent: float,
    do_apply: bool,
    force: bool,
    cool_off: float,
) -> int:
    """Show the calls that lead to a number of shards, or make them.

    Says whether the target suffices, and plans the exact calls from the shards there are (--shards, --stream)
    to the target; --apply makes them. Exit 2 if the target does not suffice, or the way to it exceeds the
    quota, 3 if no number of shards is enough; nothing is applied then. --force applies a target that does not
    suffice.
    """
    if (shards is None) == (stream is None):
        raise click.UsageError("give either --shards or --stream")
    if do_apply and stream is None:
        raise click.UsageError("--apply needs --stream")
    if force and not do_apply:
        raise click.UsageError("--force is for --apply")
    limits = shared.limits
    question = Question(profile, limits, demand)
    if do_apply and not cuttable(question):
        raise InputError("--apply", _NEEDS_POSITIONS)
    client = kinesis(shared.region) if stream else None
    starts = _current(client, stream) if client and stream else uniform_starts(shards or 1)
    free = room_for_shards(client) if client else None
    known = limits.quota(shared.region) if free is None else len(starts) + free
    quota = max(len(starts), known)
    with progress("holding the load against the target", 2 * STEPS, shown=shared.show_progress) as step:

        def fares(shards: Sequence[int]) -> Adequacy:
            return adequacy(question, shards, percent, shared.seed, lambda: step(1))

        uniform, targeted = _candidates(question, starts, target, quota, fares)
    better, why = choose(uniform, targeted, quota)
    answer = Planned(
        at=demand.at,
        rate=question.rate,
        mean_rate=profile.rate,
        better=better.plan.kind,
        why=why,
        suffices=better.adequacy.suffices,
        percent=percent,
        adequacy=better.adequacy,
        uniform=uniform.adequacy,
        targeted=targeted.adequacy if targeted else None,
        update_shard_count=update_shard_count_steps(len(starts), target, limits),
        seconds=_usual_seconds(better.plan, cool_off, limits),
        steps=tuple(call_of(step) for step in better.plan.steps),
        peak_shards=better.plan.peak_shards,
        quota=quota,
        quota_source="open" if quota > known else "usual" if free is None else "account",
        way_out=way_out(question),
        notes=notes(question, fits=better.adequacy.suffices),
    )
    present(answer, plan_sheet(answer, len(starts), len(better.plan.starts), limits), shared)
    if do_apply and client and stream and better.plan.steps:
        if answer.peak_shards <= answer.quota and (force or answer.suffices):
            _apply(client, stream, better.plan, cool_off)
        else:
            show_text(_NOT_APPLIED, err=True)
    if answer.way_out:
        return 3
    return 0 if answer.suffices and answer.peak_shards <= answer.quota else 2


def _current(client: Any, stream: str) -> tuple[int, ...]:
    status = stream_status(client, stream)
    if status != "ACTIVE":
        told = (
            f"note: {stream} is {status}: its shards are still changing, and the plan begins with those now"
        )
        show_text(told, err=True)
    return tuple(open_shards(client, stream))


def _candidates(
    question: Question,
    starts: tuple[int, ...],
    target: int,
    quota: int,
    fares: Callable[[Sequence[int]], Adequacy],
) -> tuple[Candidate, Candidate | None]:
    equal = snapped_starts(starts, uniform_starts(target))
    by_splits = steps_to("uniform", starts, equal, quota)
    counts = update_shard_count_steps(len(starts), target, question.limits)
    calls = tuple(UpdateCount(count) for count in counts or ())
    uniform = staged_plan(starts, target, question.limits) or by_splits
    if by_splits.steps and calls:  # not where the count is right already and the ranges are not
        uniform = Plan("uniform", equal, calls, max(len(starts), target))
    if counts is None and uniform is by_splits:
        halved = halved_starts(starts, target)
        if (found := fares(halved)).suffices:
            return Candidate(steps_to("halving", starts, halved, quota), found), None
    if not cuttable(question):
        return Candidate(uniform, fares(equal)), None
    by_load = steps_to("targeted", starts, cut(question, target), quota)
    return Candidate(uniform, fares(equal)), Candidate(by_load, fares(by_load.starts))


def _usual_seconds(plan: Plan, cool_off: float, limits: Limits) -> tuple[float, float] | None:
    number = sum(not isinstance(step, UpdateCount) for step in plan.steps)
    if plan.steps and not number:
        return None
    rests = cool_off * max(0, len(plan.steps) - 1)
    low, high = (each * number + rests for each in limits.seconds_per_reshard)
    return low, high


class _Shown(Watch):
    def __init__(self, shown: Waiting) -> None:
        self._shown = shown

    def done(self, step: Step) -> None:
        self._shown.done(f"done: {call_words(call_of(step))}")

    def waiting(self, why: str, seconds: float) -> None:
        self._shown.waiting(why, seconds)


def _apply(client: Any, stream: str, plan: Plan, cool_off: float) -> None:
    with Waiting("resharding", len(plan.steps)) as shown:
        count = Resharding(client, stream, _Shown(shown), cool_off=cool_off).apply(plan)
    click.echo(f"{counted(count, 'step')} done; {stream} has {counted(len(plan.starts), 'shard')}.", err=True)
