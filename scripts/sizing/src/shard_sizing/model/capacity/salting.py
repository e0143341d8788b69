"""The least salting under which no key overloads a shard: what is advised has been tried."""

import math
from typing import Final

from shard_sizing.model.capacity.demand import TARGET, Question
from shard_sizing.model.workload.keys import Salt, keys_of

_MOST_WAYS: Final = 1_000  # of a salted key, in the SDK
_HEAVIEST: Final = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000)  # keys to salt: beyond, another key is due
_MORE: Final = (1, 2, 4)  # times the sub-keys that the mean load asks for


def least_salt(question: Question) -> Salt | None:
    """Return the salting of the fewest of the heaviest keys that lets some number of shards bear a demand.

    None if none does: where chance throttles and not a key's load, as with records that fill a shard's
    second, where the keys are not known, or where each of thousands is too heavy.
    """
    given, apart = question.demand.salt, question.keys.apart()
    if question.profile.key_growth > 1 or given.names:
        return None
    load = max(float(apart.records.max()), float(apart.bytes.max())) * question.rate / question.law.full
    ways = given.ways * max(2, math.ceil(2 * load * (1 + 3 * question.profile.burst_cv)))
    for more in _MORE:
        if ways * more > _MOST_WAYS:
            return None
        if not _bears(question, Salt(ways * more, heaviest=_HEAVIEST[-1])):
            continue
        return next(
            salt
            for salt in (Salt(ways * more, heaviest=number) for number in _HEAVIEST)
            if _bears(question, salt)
        )
    return None


def _bears(question: Question, salt: Salt) -> bool:
    keys = keys_of(question.profile, salt, question.clumps, question.rate)
    return bool((question.law.throttled(keys.apart()) <= TARGET).all())
