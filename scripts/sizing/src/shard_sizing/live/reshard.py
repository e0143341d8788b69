"""Reading and changing the shards of a live stream.

A plan names shards by where they begin, not by their ids, so it can be made again from what an
interrupted run left behind: running it once more does only what is still missing.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config

from orderstream.aws import required
from orderstream.kinesis.listing import list_pages, shards_of
from orderstream.kinesis.shard import Shard
from shard_sizing.errors import InputError
from shard_sizing.live.asked import call, stream_asked, summary_of
from shard_sizing.model.resharding.planner import Plan, Split, Step, UpdateCount, snapped_starts

_POLL_SECONDS: Final = 1.0
_DEADLINE_SECONDS: Final = 600.0  # for one split or merge
_SECONDS_PER_SHARD: Final = 60.0


def kinesis(region: str) -> Any:
    """Return a boto3 client; AWS_ENDPOINT_URL_KINESIS points it elsewhere."""
    # The calls that change shards are throttled for the account as a whole: others make them too.
    patient = Config(retries={"mode": "standard", "total_max_attempts": 10})
    return boto3.client("kinesis", region_name=region, config=patient)


def open_shards(client: Any, stream: str) -> dict[int, str]:
    """Return the ids of a stream's open shards by their first hash key, ascending.

    Raises:
        InputError: The stream does not exist, or may not be listed.
    """
    starts = {shard.hash_range.start: shard.shard_id for shard in listed(client, stream)}
    return dict(sorted(starts.items()))


def listed(client: Any, stream: str, *, closed: bool = False) -> list[Shard]:
    """Return a stream's open shards, or also those that are closed.

    Raises:
        InputError: The stream does not exist, or may not be listed.
    """
    with stream_asked(stream, "ListShards"):
        pages = list_pages(client.list_shards, {"StreamName": stream})
        shards = [shard for page in pages for shard in shards_of(page)]
    if not shards:
        raise InputError(f"stream {stream}", "Kinesis lists no shard, and every stream has one")
    return [shard for shard in shards if closed or shard.is_open]


class Watch:
    """Receives the progress of a plan that is carried out; by default it does nothing.

    Tests and the command line take what they need of it.
    """

    def done(self, step: Step) -> None:
        """Take notice of a step that has ended."""

    def waiting(self, why: str, seconds: float) -> None:
        """Take notice that nothing is done for now, and for how long already."""


class Resharding:
    """Carries plans out on a stream, one step at a time, as it must be ACTIVE for each.

    Args:
        client: A boto3 Kinesis client.
        stream: The stream's name.
        watch: Receives the progress.
        cool_off: Seconds of rest between steps, in which consumers find the new shards and finish the old.
        sleep: Waits for so many seconds.
        clock: Returns a time in seconds that never goes back.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        watch: Watch | None = None,
        *,
        cool_off: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._stream = stream
        self._watch = watch or Watch()
        self._cool_off = cool_off
        self._sleep = sleep
        self._clock = clock

    def apply(self, plan: Plan) -> int:
        """Do a plan's steps and return how many were done.

        It is safe to interrupt: a step that Kinesis has begun ends by itself, and no other follows.

        Raises:
            InputError: It was interrupted, or AWS is against it; the message says how far it came.
        """
        count = 0
        try:
            self.wait_active(_DEADLINE_SECONDS)
            for step in plan.steps:
                if count:
                    self._rest()
                self._carry_out(step)
                count += 1
                self._watch.done(step)
        except KeyboardInterrupt:
            raise InputError(
                f"stream {self._stream}",
                f"interrupted after about {count} of {len(plan.steps)} steps; what Kinesis has begun ends by "
                "itself; run the same command again to go on",
            ) from None
        except InputError as error:
            how_far = f"{count} of {len(plan.steps)} steps were done; run the same command again to go on"
            raise InputError(error.what, f"{error.problem}; {how_far}") from error
        return count

    def wait_active(self, timeout: float) -> None:
        """Wait until the stream is ACTIVE.

        Args:
            timeout: Seconds after which it is given up.

        Raises:
            InputError: It is not, it does not exist, it may not be described, or it is on-demand.
        """
        began = self._clock()
        while (status := stream_status(self._client, self._stream)) != "ACTIVE":
            waited = self._clock() - began
            if waited > timeout:
                raise InputError(
                    f"stream {self._stream}", f"still {status} after {timeout / 60:,.0f} minutes"
                )
            self._watch.waiting(f"{self._stream} is {status}", waited)
            self._sleep(_POLL_SECONDS)

    def _rest(self) -> None:
        began = self._clock()
        while (rested := self._clock() - began) < self._cool_off:
            self._watch.waiting(f"cooling off for {self._cool_off:g} s", rested)
            self._sleep(min(_POLL_SECONDS, self._cool_off - rested))

    def _carry_out(self, step: Step) -> None:
        client, stream = self._client, self._stream
        if isinstance(step, UpdateCount):
            call(
                stream,
                client.update_shard_count,
                StreamName=stream,
                TargetShardCount=step.shards,
                ScalingType="UNIFORM_SCALING",
            )
            # AWS gives no time; even one shard after the other it would be done by then.
            self.wait_active(max(_DEADLINE_SECONDS, _SECONDS_PER_SHARD * step.shards))
            return
        shards = open_shards(client, stream)
        if isinstance(step, Split):
            arguments = {"ShardToSplit": self._at(shards, step.start), "NewStartingHashKey": str(step.at)}
            call(stream, client.split_shard, StreamName=stream, **arguments)
        else:
            first, second = (self._at(shards, start) for start in (step.start, step.neighbour))
            call(
                stream,
                client.merge_shards,
                StreamName=stream,
                ShardToMerge=first,
                AdjacentShardToMerge=second,
            )
        self.wait_active(_DEADLINE_SECONDS)

    def _at(self, shards: Mapping[int, str], start: int) -> str:
        """Return the shard that starts at a hash key, or a few keys beside it, as Kinesis rounds ranges.

        Raises:
            InputError: There is none: something else changes the stream too.
        """
        (snapped,) = snapped_starts(tuple(shards), (start,), len(shards))
        if snapped not in shards:
            raise InputError(
                f"stream {self._stream}", "its shards are no longer those that the plan was made for"
            )
        return shards[snapped]


def stream_status(client: Any, stream: str) -> str:
    """Return a provisioned stream's status: ACTIVE, UPDATING and so on.

    Raises:
        InputError: It does not exist, may not be described, or is on-demand.
    """
    summary = summary_of(client, stream)
    if (summary.get("StreamModeDetails") or {}).get("StreamMode") == "ON_DEMAND":
        raise InputError(
            f"stream {stream}", "it is on-demand: Kinesis splits and merges its shards, nobody else may"
        )
    with stream_asked(stream, "DescribeStreamSummary"):
        return required(summary, "StreamStatus", str)
