"""Whether any number of shards can bear a demand: records, readers and keys that none of them helps."""

from typing import Final

from shard_sizing.model.capacity.advice import heaviest, too_large
from shard_sizing.model.capacity.demand import TARGET, Question
from shard_sizing.model.percent import percent

_OVERSIZED: Final = 1e-5  # of the records: below, made-up tails and not a reason to refuse an answer


def way_out(question: Question) -> str:
    """Return why no number of shards is enough, and what to do; empty where one may be."""
    return refusal(question) or (heaviest(question) if any(overloaded(question)) else "")


def refusal(question: Question) -> str:
    """Return why no shards help though none of them throttles, and what to do; empty where they may."""
    limits, readers = question.limits, question.demand.readers
    if question.oversized > _OVERSIZED:
        return too_large(question)
    if refused := readers.refused(limits):
        return refused
    volume = question.volume(question.keys.apart())
    if not readers.keep_up(volume, limits)[0]:
        used = float(readers.used(volume, limits).max())
        return (
            f"the heaviest key alone takes {percent(used, 1)} of what a shard gives its {readers.sharing} "
            f"readers, and {percent(1 - readers.most_used)} is kept for catching up: read by fan-out "
            "(--efo), spread the key, or accept a longer catch-up (--catch-up)"
        )
    return ""


def overloaded(question: Question) -> tuple[bool, ...]:
    """Tell by reading of the limits whether the heaviest keys throttle though each has its own shard."""
    return tuple((question.law.throttled(question.keys.apart())[0] > TARGET).tolist())
