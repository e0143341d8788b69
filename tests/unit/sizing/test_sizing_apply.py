"""Plans carried out on a stream."""

from typing import Any

import pytest

from orderstream.testing import FakeKinesis, Fault, FaultKind, Limits
from shard_sizing.errors import InputError
from shard_sizing.live.account import room_for_shards
from shard_sizing.live.reshard import apply_plan, open_shards, wait_active
from shard_sizing.model.planner import Step, plan, uniform_starts

CURRENT, TARGET = uniform_starts(3), (0, 2**125, 2**126, 2**127, 3 * 2**126)


@pytest.mark.parametrize("after", range(1, 1 + len(plan("targeted", CURRENT, TARGET).steps)))
def test_a_plan_goes_on_after_an_interruption_at_any_step(after: int) -> None:
    """Ctrl-C after step k is told with what to do; planned again, the stream ends in exactly the target."""
    client = FakeKinesis().client()
    client.create_stream(StreamName="orders", ShardCount=3)
    seen: list[Step] = []

    def interrupt(step: Step) -> None:
        seen.append(step)
        if len(seen) == after:
            raise KeyboardInterrupt

    def again() -> None:
        current = tuple(open_shards(client, "orders"))
        apply_plan(client, "orders", plan("targeted", current, TARGET), interrupt)

    with pytest.raises(InputError, match="run the same command again"):
        again()
    again()
    assert tuple(open_shards(client, "orders")) == TARGET
    assert len(seen) == len(plan("targeted", CURRENT, TARGET).steps)


@pytest.mark.parametrize("kind", [FaultKind.REJECT, FaultKind.LOSE_ANSWER])
@pytest.mark.parametrize("operation", ["SplitShard", "MergeShards", "DescribeStreamSummary"])
def test_a_plan_goes_on_after_an_error(operation: str, kind: FaultKind) -> None:
    """What fails, with or without its effect, is told with what to do; done again it reaches the target."""
    kinesis = FakeKinesis()
    client = kinesis.client()
    client.create_stream(StreamName="orders", ShardCount=3)
    kinesis.faults.add(Fault(operation=operation, kind=kind))
    with pytest.raises(InputError, match="steps were done; run the same command again"):
        apply_plan(client, "orders", plan("targeted", CURRENT, TARGET), lambda _: None)
    current = tuple(open_shards(client, "orders"))
    apply_plan(client, "orders", plan("targeted", current, TARGET), lambda _: None)
    assert tuple(open_shards(client, "orders")) == TARGET


def test_an_unknown_stream_is_told() -> None:
    """A stream that does not exist is a sentence with its name."""
    with pytest.raises(InputError, match="nowhere"):
        open_shards(FakeKinesis().client(), "nowhere")


class OnDemand:
    """A client of a stream whose shards are Kinesis' own business."""

    def describe_stream_summary(self, **_: str) -> dict[str, Any]:
        details = {"StreamMode": "ON_DEMAND"}
        return {"StreamDescriptionSummary": {"StreamStatus": "ACTIVE", "StreamModeDetails": details}}


def test_an_on_demand_stream_is_left_alone() -> None:
    """Its shards cannot be changed, which is told before anything is tried."""
    with pytest.raises(InputError, match="on-demand"):
        wait_active(OnDemand(), "orders")


def test_the_room_is_what_other_streams_leave() -> None:
    """The quota is the account's; an account that may not be asked has none that is known."""
    kinesis = FakeKinesis(limits=Limits(open_shards=10))
    kinesis.client().create_stream(StreamName="others", ShardCount=6)
    assert room_for_shards(kinesis.client()) == 4
    kinesis.faults.add(Fault(operation="DescribeLimits", error="AccessDeniedException"))
    assert room_for_shards(kinesis.client()) is None
