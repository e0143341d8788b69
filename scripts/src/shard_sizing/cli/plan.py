"""``shard-sizing plan``."""

from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from shard_sizing.cli.options import Shared, shared_options, workload_options
from shard_sizing.cli.output import counted, show_json
from shard_sizing.cli.plots import plot_bars
from shard_sizing.live.account import room_for_shards
from shard_sizing.live.reshard import apply_plan, kinesis, open_shards, wait_active
from shard_sizing.model.placement import placed, range_loads
from shard_sizing.model.planner import (
    Plan,
    Split,
    Step,
    targeted_starts,
    uniform_starts,
    update_shard_count_steps,
)
from shard_sizing.model.planner import plan as steps_to
from shard_sizing.model.profile import Profile


class Planned(msgspec.Struct, frozen=True):
    """The better plan, and what it was chosen against.

    Attributes:
        better: ``uniform`` or ``targeted``.
        uniform_busiest: Share of the load on the busiest shard at the end of the uniform plan.
        targeted_busiest: The same of the targeted plan.
        update_shard_count: The counts by which UpdateShardCount comes to the uniform target.
        seconds: What the steps usually take, at least and at most.
        steps: The calls, hash keys in decimal.
        peak_shards: Most open shards of the stream at any time.
        quota: How many the stream may have meanwhile.
        quota_source: ``account``, as DescribeLimits tells with the other streams' shards taken off, or
            ``usual``, the Region's for accounts that have asked for no more.
    """

    better: str
    uniform_busiest: float
    targeted_busiest: float
    update_shard_count: tuple[int, ...]
    seconds: tuple[float, float]
    steps: tuple[dict[str, str], ...]
    peak_shards: int
    quota: int
    quota_source: str
    schema: str = "shard-sizing/plan/1"


@click.command()
@workload_options
@shared_options
@click.option("--current", type=click.IntRange(1, 20_000), help="Equal shards there are.")
@click.option("--stream", help="A live stream whose shards there are.")
@click.option("--target", type=click.IntRange(1, 20_000), required=True)
@click.option("--apply", "do_apply", is_flag=True, help="Do it; run again to go on after an interruption.")
def plan(
    profile: Profile,
    shared: Shared,
    current: int | None,
    stream: str | None,
    target: int,
    do_apply: bool,
) -> int:
    """Show, or with --apply do, the exact splits and merges from the current shards to the target."""
    if (current is None) == (stream is None):
        raise click.UsageError("give either --current or --stream")
    if do_apply and stream is None:
        raise click.UsageError("--apply needs --stream")
    limits = shared.limits
    client = kinesis(shared.region) if stream else None
    if client and stream:
        wait_active(client, stream)
    now = open_shards(client, stream) if client and stream else None
    starts = tuple(now) if now else uniform_starts(current or 1)
    room = room_for_shards(client) if client else None
    quota = limits.quota(shared.region) if room is None else len(starts) + room
    places, weights = placed(profile)
    # The first of equals wins by load alone: a run after an interruption takes the same target again.
    made = (
        steps_to("uniform", starts, uniform_starts(target)),
        steps_to("targeted", starts, targeted_starts(places, weights, target)),
    )
    busiest = [round(float(range_loads(places, weights, each.starts).max()), 6) for each in made]
    better = made[busiest.index(min(busiest))]
    low, high = limits.seconds_per_reshard
    answer = Planned(
        better.kind,
        busiest[0],
        busiest[1],
        update_shard_count_steps(len(starts), target),
        (low * len(better.steps), high * len(better.steps)),
        tuple(_call(step) for step in better.steps),
        better.peak_shards,
        quota,
        "usual" if room is None else "account",
    )
    if shared.plot:
        loads = range_loads(places, weights, better.starts)
        x, y = "shards by hash range", "share of the load, %"
        plot_bars(shared.plot, values=(100 * loads).tolist(), x=x, y=y, limit=None)
    if shared.as_json:
        show_json(answer)
    else:
        _show(answer, limits.update_shard_count_per_day)
    if answer.peak_shards > answer.quota:
        return 2
    if do_apply and client and stream and better.steps:
        _apply(client, stream, better)
    return 0


def _apply(client: Any, stream: str, plan: Plan) -> None:
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("resharding", total=len(plan.steps))

        def done(step: Step) -> None:
            progress.console.print(f"done: {_sentence(_call(step))}", soft_wrap=True)
            progress.advance(task)

        count = apply_plan(client, stream, plan, done)
    click.echo(f"{counted(count, 'step')} done; {stream} has {counted(len(plan.starts), 'shard')}.", err=True)


def _show(answer: Planned, per_day: int) -> None:
    if not answer.steps:
        click.echo("Nothing to do: the shards are as they should be.")
        return
    fits = "at most" if answer.peak_shards <= answer.quota else "which does not fit: at most"
    source = "as DescribeLimits tells" if answer.quota_source == "account" else "by the Region's usual quota"
    sentence = (
        f"Take the {answer.better} plan: {counted(len(answer.steps), 'step')}, "
        f"{answer.seconds[0] / 60:.0f} to {answer.seconds[1] / 60:.0f} min, {fits} {answer.peak_shards} "
        f"shards at a time of {answer.quota} that may be, {source}."
    )
    click.echo(sentence)
    for call in answer.steps:  # no table: a hash key must never be cut short
        click.echo(f"  {_sentence(call)}")
    counts = " -> ".join(map(str, answer.update_shard_count)) or "none"
    days = -(-len(answer.update_shard_count) // per_day)
    click.echo(
        f"Busiest shard: {answer.uniform_busiest:.1%} of the load uniform, "
        f"{answer.targeted_busiest:.1%} targeted. The uniform way by UpdateShardCount: "
        f"{counts}, in {max(1, days)} day(s) at {per_day} calls a day."
    )


def _sentence(call: dict[str, str]) -> str:
    start, other = call["start"], call["hash_key"]
    if call["call"] == "SplitShard":
        return f"SplitShard of the shard that starts at {start}, new starting hash key {other}"
    return f"MergeShards of the shards that start at {start} and {other}"


def _call(step: Step) -> dict[str, str]:
    if isinstance(step, Split):
        return {"call": "SplitShard", "start": str(step.start), "hash_key": str(step.at)}
    return {"call": "MergeShards", "start": str(step.start), "hash_key": str(step.neighbour)}
