"""Reading and changing the shards of a live stream.

A plan names shards by where they begin, not by their ids, so it can be made again from whatever an
interrupted run left behind: running it once more does only what is still missing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shard_sizing.errors import InputError
from shard_sizing.model.planner import Plan, Split, Step

_POLL_SECONDS: Final = 1.0
_DEADLINE_SECONDS: Final = 600.0


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
    starts = {
        int(shard["HashKeyRange"]["StartingHashKey"]): shard["ShardId"] for shard in listed(client, stream)
    }
    return dict(sorted(starts.items()))


def listed(client: Any, stream: str) -> Iterator[Mapping[str, Any]]:
    """Give a stream's open shards as ListShards describes them.

    Raises:
        InputError: The stream does not exist, or may not be listed.
    """
    request: dict[str, Any] = {"StreamName": stream}
    while True:
        page = call(stream, client.list_shards, **request)
        for shard in page["Shards"]:
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]:
                yield shard
        if not page.get("NextToken"):
            return
        request = {"NextToken": page["NextToken"]}


def apply_plan(
    client: Any,
    stream: str,
    plan: Plan,
    done: Callable[[Step], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Do a plan's steps, one at a time, as the stream must be ACTIVE for each; return how many were done.

    It is safe to interrupt: a step that Kinesis has begun ends by itself, and no other follows.

    Raises:
        InputError: It was interrupted, or AWS is against it; the message says how far it came.
    """
    count = 0
    try:
        for step in plan.steps:
            _carry_out(client, stream, step, sleep, clock)
            count += 1
            done(step)
        wait_active(client, stream, sleep, clock)
    except KeyboardInterrupt:
        raise InputError(
            f"stream {stream}",
            f"interrupted after about {count} of {len(plan.steps)} steps; what Kinesis has begun ends by "
            "itself; run the same command again to go on",
        ) from None
    except InputError as error:
        how_far = f"{count} of {len(plan.steps)} steps were done; run the same command again to go on"
        raise InputError(error.what, f"{error.problem}; {how_far}") from error
    return count


def _carry_out(
    client: Any,
    stream: str,
    step: Step,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> None:
    wait_active(client, stream, sleep, clock)
    shards = open_shards(client, stream)
    other = step.start if isinstance(step, Split) else step.neighbour
    if step.start not in shards or other not in shards:
        raise InputError(f"stream {stream}", "its shards are no longer those that the plan was made for")
    if isinstance(step, Split):
        arguments = {"ShardToSplit": shards[step.start], "NewStartingHashKey": str(step.at)}
        call(stream, client.split_shard, StreamName=stream, **arguments)
    else:
        arguments = {"ShardToMerge": shards[step.start], "AdjacentShardToMerge": shards[step.neighbour]}
        call(stream, client.merge_shards, StreamName=stream, **arguments)


def wait_active(
    client: Any,
    stream: str,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until a stream is ACTIVE, for ten minutes at most.

    Raises:
        InputError: It is not, it does not exist, it may not be described, or it is on-demand.
    """
    deadline = clock() + _DEADLINE_SECONDS
    while True:
        summary = call(stream, client.describe_stream_summary, StreamName=stream)["StreamDescriptionSummary"]
        if summary.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND":
            raise InputError(
                f"stream {stream}", "it is on-demand: Kinesis splits and merges its shards, nobody else may"
            )
        if summary["StreamStatus"] == "ACTIVE":
            return
        if clock() > deadline:
            raise InputError(stream, "still not ACTIVE after ten minutes")
        sleep(_POLL_SECONDS)


def call(stream: str, method: Callable[..., Any], **arguments: Any) -> Any:
    """Call a method of a client.

    Raises:
        InputError: What AWS says against it.
    """
    try:
        return method(**arguments)
    except ClientError as error:
        told = error.response["Error"]
        raise InputError(f"stream {stream}", f"{told['Code']}: {told.get('Message', '')}") from error
    except BotoCoreError as error:
        raise InputError(f"stream {stream}", str(error)) from error
