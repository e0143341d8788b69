"""A plan in words."""

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from shard_sizing.cli.planned import Planned, QuotaSource
from shard_sizing.cli.presentation.output import counted
from shard_sizing.cli.presentation.peak_words import peak_words
from shard_sizing.cli.presentation.pictures import Bars
from shard_sizing.cli.presentation.reader_words import reader_words
from shard_sizing.cli.presentation.sheet import Sheet
from shard_sizing.model.capacity.adequacy import Adequacy
from shard_sizing.model.capacity.demand import TARGET
from shard_sizing.model.data_files import Limits
from shard_sizing.model.percent import percent
from shard_sizing.model.resharding.planner import Split, Step, UpdateCount
from shard_sizing.model.resharding.update_shard_count import is_quick

_SHOWN: Final = 20
_DAYS_FROM: Final = 48  # hours: a longer time is said in days
_STAGES: Final = {"SplitShard": "split", "MergeShards": "merge"}
_QUOTA_SOURCES: Final[dict[QuotaSource, str]] = {
    "account": "as DescribeLimits says",
    "usual": "the Region's usual one",
    "open": "as many as are open now: more than the Region's usual quota, so the account has another",
}


def plan_sheet(answer: Planned, current: int, target: int, limits: Limits) -> Sheet:
    """Return whether the target suffices, the plan, and each call.

    Args:
        answer: The plan.
        current: Open shards before it.
        target: Open shards after it.
        limits: What AWS allows.
    """
    planned = peak_words(answer.at, answer.rate, answer.mean_rate)
    sentence = f"For {planned}, {_verdict(answer, target)}"
    lines = [] if answer.way_out else list(_steps(answer, current, target, limits))
    if answer.targeted is not None:
        lines.append(
            f"Busiest shard: {percent(answer.uniform.busiest, 1)} of the load with equal ranges, "
            f"{percent(answer.targeted.busiest, 1)} with targeted cuts."
        )
    lines += [*reader_words(answer.adequacy.read_limit_used), *answer.notes]
    picture = Bars(
        sentence,
        [100 * used for used in answer.adequacy.used_p99],
        "shards by hash range",
        "load at p99, % of the limit",
        unit=" %",
        limit=100,
    )
    return Sheet(sentence, notes=lines, picture=picture)


def _steps(answer: Planned, current: int, target: int, limits: Limits) -> Iterator[str]:
    if not answer.steps:
        yield "Nothing to do: the shards that there are are those of the target."
        return
    take = "Take the" if answer.suffices else "If it is to be done nonetheless, the"
    time = "" if answer.seconds is None else f" in {_minutes(answer.seconds)}"
    yield f"{take} {answer.better} plan, {counted(len(answer.steps), 'step')}{time}: {answer.why}."
    if answer.peak_shards > answer.quota:
        yield f"It does not fit: {answer.peak_shards:,} shards are open at a time, and {_quota(answer)}."
    else:
        are = "is" if answer.peak_shards == 1 else "are"
        yield f"At most {counted(answer.peak_shards, 'shard')} {are} open at a time; {_quota(answer)}."
    stages = list(_stages(answer.steps))
    if len(stages) > 1 and len(answer.steps) > len(stages):
        yield f"In stages: {'; then '.join(stages)}."
    now = current
    for call in answer.steps[:_SHOWN]:  # no table: a hash key must never be cut short
        yield f"  {call_words(call)}{_slow(call, now)}"
        now = _open_after(call, now)
    if len(answer.steps) > _SHOWN:
        yield f"  and {len(answer.steps) - _SHOWN:,} more; --json has them all"
    yield _by_update_shard_count(answer, limits)
    doubled = 2 * current
    by_hand = answer.update_shard_count is None and len(answer.steps) > current
    if by_hand and current < target < doubled <= answer.quota:
        yield (
            f"Splitting each shard in the middle makes {doubled:,} equal shards in {current:,} steps: "
            f"fewer than these (--target {doubled})."
        )


def _stages(steps: tuple[dict[str, str], ...]) -> Iterator[str]:
    """Yield runs of calls of one kind, in words."""
    for kind, calls in groupby(steps, key=lambda call: call["call"]):
        run = list(calls)
        if kind == "UpdateShardCount":
            counts = ", ".join(f"{int(call['shards']):,}" for call in run)
            yield f"UpdateShardCount to {counts} shards"
        else:
            yield counted(len(run), _STAGES[kind])


def _open_after(call: dict[str, str], now: int) -> int:
    if call["call"] == "UpdateShardCount":
        return int(call["shards"])
    return now + (1 if call["call"] == "SplitShard" else -1)


def _quota(answer: Planned) -> str:
    return f"the quota is {answer.quota:,}, {_QUOTA_SOURCES[answer.quota_source]}"


def _verdict(answer: Planned, target: int) -> str:
    found = answer.adequacy
    if answer.way_out:
        return f"no number of shards is enough: {answer.way_out}."
    shards = counted(target, "shard")
    suffice = "suffices" if target == 1 else "suffice"
    if found.placements == 1:
        busiest = (
            f"the busiest is at {percent(max(found.used_p99))} of its limit at p99, with "
            f"{percent(found.busiest, 1)} of the load"
        )
        if found.suffices:
            return f"{shards} {suffice}: {busiest}."
        return f"{shards} will not be enough: {busiest}, and {_shortage(found)}."
    share = f"in {percent(found.fits_in)} of {found.placements} placements of the keys"
    if found.suffices:
        return f"{shards} {suffice} {share}, whose positions are not known."
    they = "it suffices" if target == 1 else "they suffice"
    return (
        f"{shards} {'may' if found.fits_in else 'will'} not be enough: {they} {share}, "
        f"whose positions are not known, and {answer.percent:g} % are wanted."
    )


def _shortage(found: Adequacy) -> str:
    if found.throttled_seconds > TARGET:
        return f"{percent(found.throttled_seconds, 1)} of seconds throttle"
    return f"its readers need {percent(found.read_limit_used)} of its read limit, too much to catch up"


def _minutes(seconds: tuple[float, float]) -> str:
    low, high = (each / 60 for each in seconds)
    if high < 120:
        return f"{math.floor(low):,} to {math.ceil(high):,} min"
    if high / 60 < _DAYS_FROM:
        return f"{low / 60:,.1f} to {high / 60:,.1f} hours"
    return f"{low / 1_440:,.1f} to {high / 1_440:,.1f} days"


def _slow(call: dict[str, str], now: int) -> str:
    quick = call["call"] != "UpdateShardCount" or is_quick(now, int(call["shards"]))
    return "" if quick else "; no multiple of 25 % of the present count, so it takes longer, says AWS"


def _by_update_shard_count(answer: Planned, limits: Limits) -> str:
    counts, per_day = answer.update_shard_count, limits.update_shard_count_per_day
    if counts is None:
        most = f"{limits.update_shard_count_most:,}"
        return (
            "UpdateShardCount alone does not get there: by default it goes up to "
            f"{most} shards, and from more than {most} only to fewer than {most}. AWS raises this on request."
        )
    if not counts:
        return "UpdateShardCount has nothing to do: there are as many shards as wanted."
    days = max(1, -(-len(counts) // per_day))
    way = " -> ".join(f"{count:,}" for count in counts)
    allowed = f"{per_day} such calls are allowed a day" + (f", so {days} days" if days > 1 else "")
    time = "AWS does not say how long one takes, only that it may be a few minutes, by the size of the stream"
    if any(step["call"] == "UpdateShardCount" for step in answer.steps):
        return f"{allowed}; {time}."
    return f"Equal ranges by UpdateShardCount: {way}; {allowed}; {time}."


def call_words(call: dict[str, str]) -> str:
    """Return a call as one sentence."""
    if call["call"] == "UpdateShardCount":
        return f"UpdateShardCount to {counted(int(call['shards']), 'equal shard')}"
    start, other = call["start"], call["hash_key"]
    if call["call"] == "SplitShard":
        return f"SplitShard of the shard that starts at {start}, new starting hash key {other}"
    return f"MergeShards of the shards that start at {start} and {other}"


def call_of(step: Step) -> dict[str, str]:
    """Return a step as ``--json`` shows it."""
    if isinstance(step, UpdateCount):
        return {"call": "UpdateShardCount", "shards": str(step.shards)}
    if isinstance(step, Split):
        return {"call": "SplitShard", "start": str(step.start), "hash_key": str(step.at)}
    return {"call": "MergeShards", "start": str(step.start), "hash_key": str(step.neighbour)}
