"""Whether any number of shards can bear a demand: records, readers and keys that none of them helps."""

from typing import Final

from shard_sizing.model.capacity.advice import heaviest, too_large
from shard_sizing.model.capacity.demand import TARGET, Question
from shard_sizing.model.percent import percent

_OVERSIZED: Final = 1e-5  # of the records: below, made-up tails and not a reason to refuse a result


def way_out(question: Question) -> str:
    """Return why no number of shards is enough, and what to do; empty where one may be."""
    stuck = any(overloaded(question))
    return refusal(question) or (heaviest(question) if stuck else _unread(question))


def refusal(question: Question) -> str:
    """Return what AWS refuses on any stream, with any keys, and what to do; empty if nothing."""
    if question.oversized > _OVERSIZED:
        return too_large(question)
    return question.demand.readers.refused(question.limits)


def overloaded(question: Question) -> tuple[bool, ...]:
    """Return, by reading of the limits, whether the heaviest keys throttle even on shards of their own."""
    return tuple((question.law.throttled(question.keys.apart())[0] > TARGET).tolist())


def _unread(question: Question) -> str:
    """Return why readers do not keep up with the heaviest key alone, and what to do; empty where they do."""
    limits, readers = question.limits, question.demand.readers
    volume = question.volume(question.keys.apart())
    if readers.keep_up(volume, limits)[0]:
        return ""
    used = float(readers.used(volume, limits).max())
    them = "reader" if readers.sharing == 1 else f"{readers.sharing} readers"
    fan_out = "read by fan-out (--efo), " if readers.sharing > 1 else ""
    return (
        f"the heaviest key alone takes {percent(used, 1)} of what a shard gives its {them}, and "
        f"{percent(1 - readers.most_used)} is kept for catching up: {fan_out}spread the key, or "
        "accept a longer catch-up (--catch-up)"
    )
