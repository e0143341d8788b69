"""What each hot key asks for: its rate, and over how many sub-keys it has to be spread."""

import math
from typing import Final

import msgspec

from shard_sizing.model.data_files import Limits
from shard_sizing.model.profile import Profile

_ROOM: Final = 0.5  # of one shard for one sub-key: it shares the shard with others


class HotKeyNeed(msgspec.Struct, frozen=True):
    """One hot key: shares 0 to 1, mean records and bytes a second, sub-keys for its 99.9 % second."""

    key: str
    record_share: float
    byte_share: float
    records_per_second: float
    bytes_per_second: float
    sub_keys: int
    gives_up: str


def hot_keys(profile: Profile, limits: Limits) -> tuple[HotKeyNeed, ...]:
    """Return what each hot key of a profile needs, most records first, then those heavy in bytes only."""
    sigma = math.sqrt(math.log1p(profile.burst_cv**2))
    peak = math.exp(3.09 * sigma - sigma * sigma / 2)  # the 99.9 % second of a lognormal factor
    needs = []
    by_records = {hot.key for hot in profile.hot_keys}
    for hot in (*profile.hot_keys, *(hot for hot in profile.hot_by_bytes if hot.key not in by_records)):
        records = hot.record_share * profile.rate
        volume = hot.byte_share * profile.rate * profile.record_bytes
        load = max(records / limits.records_per_second, volume / limits.bytes_per_second) * peak
        sub_keys = max(1, math.ceil(load / _ROOM))
        gives_up = "nothing" if sub_keys == 1 else f"order across its {sub_keys} sub-keys; each keeps its own"
        needs.append(
            HotKeyNeed(hot.key, hot.record_share, hot.byte_share, records, volume, sub_keys, gives_up)
        )
    return tuple(needs)
