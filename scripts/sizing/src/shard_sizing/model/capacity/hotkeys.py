"""What each hot key asks for: its rate, and over how many sub-keys it has to be spread."""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from shard_sizing.model.capacity.demand import peak_burst
from shard_sizing.model.data_files import Limits
from shard_sizing.model.workload.clumps import Clump
from shard_sizing.model.workload.profile import Profile, planned_clumps, rate_at

_ROOM: Final = 0.5  # of one shard for one sub-key: it shares the shard with others


class HotKeyNeed(msgspec.Struct, frozen=True):
    """One hot key.

    Attributes:
        key: Its name; of a clump, the key that brought one so large.
        record_share: Its share of the records at the planned rate; of a clump that is shorter than the
            interval planned for, more than 1 is possible.
        byte_share: The same of the bytes.
        records_per_second: Its mean records a second; of a clump, those of its busiest second.
        bytes_per_second: The same in bytes.
        sub_keys: Sub-keys over which it has to be spread for its 99.9 % second.
        gives_up: What spreading it costs.
        clump: Whether it is the key of a busy time, another one each time, and not of the whole file.
    """

    key: str
    record_share: float
    byte_share: float
    records_per_second: float
    bytes_per_second: float
    sub_keys: int
    gives_up: str
    clump: bool = False


def hot_keys(profile: Profile, limits: Limits, at: str) -> tuple[HotKeyNeed, ...]:
    """Return what each hot key of a profile needs at a rate by its name: see ``rate_at``.

    Clumps of the busy times come first, then the keys with most records, then those heavy in bytes only.
    """
    return (*_clumps(profile, limits, at), *_known(profile, limits, at))


def _clumps(profile: Profile, limits: Limits, at: str) -> Iterator[HotKeyNeed]:
    rate = rate_at(profile, at)
    usual = max((hot.record_share for hot in profile.hot_keys), default=0.0) * rate / profile.key_growth
    for clump in planned_clumps(profile, at):
        if clump.records > usual:
            yield _need(clump, rate, profile.record_bytes, limits)


def _need(clump: Clump, rate: float, record_bytes: float, limits: Limits) -> HotKeyNeed:
    ways = _sub_keys(clump.records, clump.bytes, limits)
    shares = clump.records / rate, clump.bytes / (rate * record_bytes)
    return HotKeyNeed(clump.key, *shares, clump.records, clump.bytes, ways, _gives_up(ways), clump=True)


def _known(profile: Profile, limits: Limits, at: str) -> Iterator[HotKeyNeed]:
    rate, peak = rate_at(profile, at), 1.0 if at.endswith("-second") else peak_burst(profile.burst_cv)
    by_records = {hot.key for hot in profile.hot_keys}
    for hot in (*profile.hot_keys, *(hot for hot in profile.hot_by_bytes if hot.key not in by_records)):
        shares = hot.record_share / profile.key_growth, hot.byte_share / profile.key_growth
        records, volume = shares[0] * rate, shares[1] * rate * profile.record_bytes
        ways = _sub_keys(records * peak, volume * peak, limits)
        yield HotKeyNeed(hot.key, *shares, records, volume, ways, _gives_up(ways))


def _sub_keys(records: float, volume: float, limits: Limits) -> int:
    load = max(records / limits.records_per_second, volume / limits.bytes_per_second)
    return max(1, math.ceil(load / _ROOM))


def _gives_up(sub_keys: int) -> str:
    return "nothing" if sub_keys == 1 else f"order across its {sub_keys} sub-keys; each keeps its own"
