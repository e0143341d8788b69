"""Who reads a stream: what a shard gives its readers, and what an outage asks for afterwards."""

import math
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.capacity.trials import Bools
from shard_sizing.model.data_files import Limits
from shard_sizing.model.workload.peaks import Floats

CATCH_UP: Final = 4.0
"""Times an outage that making up for it may take, by default: a fifth of the read limit is kept for it."""

POLL_SECONDS: Final = 1.0
"""Between two GetRecords calls of a reader for a shard: KCL's default."""


class Readers(msgspec.Struct, frozen=True):
    """The applications that read a stream.

    Attributes:
        consumers: How many there are.
        fan_out: Whether each is a registered consumer with a read limit of its own (enhanced fan-out).
        catch_up: Times an outage that making up for it may take at the planned rate, above 0.
        poll_seconds: Between two GetRecords calls of one for a shard; of no interest with fan-out.
    """

    consumers: int = 1
    fan_out: bool = False
    catch_up: float = CATCH_UP
    poll_seconds: float = POLL_SECONDS

    @property
    def sharing(self) -> int:
        """How many share one read limit."""
        return min(1, self.consumers) if self.fan_out else self.consumers

    def used(self, volume: Floats, limits: Limits) -> Floats:
        """Return the share of its read limit that a shard's readers use to keep up.

        Args:
            volume: Bytes a second on the shard.
            limits: What a shard gives.
        """
        used: Floats = volume * self.sharing / limits.read_bytes_per_second
        return used

    @property
    def most_used(self) -> float:
        """The largest share of a read limit that leaves enough room to catch up."""
        return self.catch_up / (1.0 + self.catch_up)

    def keep_up(self, volume: Floats, limits: Limits) -> Bools:
        """Return, by placement, whether every shard's readers keep up and can catch up."""
        within: Bools = np.all(self.used(volume, limits) <= self.most_used * (1 + 1e-9), axis=-1)
        return within

    def refused(self, limits: Limits) -> str:
        """Return why so many readers cannot read any stream in this way, and what can be done; or nothing."""
        if self.fan_out:
            most, advantage = limits.fan_out_consumers, limits.fan_out_consumers_advantage
            if self.consumers > most:
                more = f" ({advantage} with on-demand Advantage)" if advantage > most else ""
                return (
                    f"a stream has at most {most} registered consumers{more}, and {self.consumers} are asked "
                    "for: let some share GetRecords, or one consumer feed several"
                )
            return ""
        calls = self.consumers / self.poll_seconds
        if calls > limits.reads_per_second * (1 + 1e-9):
            pause = math.ceil(10 * self.consumers / limits.reads_per_second) / 10
            return (
                f"{self.consumers} readers that poll every {self.poll_seconds:g} s make {calls:.1f} "
                f"GetRecords a second of a shard, which answers {limits.reads_per_second}, however many "
                f"shards there are: poll every {pause:g} s or more rarely (--poll-seconds {pause:g}), or "
                "read by fan-out (--efo)"
            )
        return ""


def catch_up_times(used: float) -> float:
    """Return the times of an outage after which it is made up for, at a share of a limit used meanwhile."""
    return used / (1.0 - used) if used < 1 else math.inf
