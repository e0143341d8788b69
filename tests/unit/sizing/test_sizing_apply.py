"""Plans carried out on a stream."""

from typing import Any

import pytest

from orderstream.testing import FakeKinesis, Fault, FaultKind, Limits
from shard_sizing.errors import InputError
from shard_sizing.live.account import room_for_shards
from shard_sizing.live.reshard import Resharding, Watch, open_shards, stream_status
from shard_sizing.model.resharding.planner import Plan, Step, UpdateCount, plan, uniform_starts

CURRENT, TARGET = uniform_starts(3), (0, 2**125, 2**126, 2**127, 3 * 2**126)


class Seen(Watch):
    """Notes what it is told, and presses Ctrl-C after a given step."""

    def __init__(self, interrupt_after: int = 0) -> None:
        self.steps: list[Step] = []
        self.waits: list[tuple[str, float]] = []
        self._interrupt_after = interrupt_after

    def done(self, step: Step) -> None:
        self.steps.append(step)
        if len(self.steps) == self._interrupt_after:
            raise KeyboardInterrupt

    def waiting(self, why: str, seconds: float) -> None:
        self.waits.append((why, seconds))


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("after", range(1, 1 + len(plan("targeted", CURRENT, TARGET).steps)))
def test_a_plan_goes_on_after_an_interruption_at_any_step(after: int) -> None:
    """Ctrl-C after step k is told with what to do; planned again, the stream ends in exactly the target."""
    client = FakeKinesis().client()
    client.create_stream(StreamName="orders", ShardCount=3)
    seen = Seen(after)

    def again() -> None:
        current = tuple(open_shards(client, "orders"))
        Resharding(client, "orders", seen).apply(plan("targeted", current, TARGET))

    with pytest.raises(InputError, match="run the same command again"):
        again()
    again()
    assert tuple(open_shards(client, "orders")) == TARGET
    assert len(seen.steps) == len(plan("targeted", CURRENT, TARGET).steps)


@pytest.mark.parametrize("kind", [FaultKind.REJECT, FaultKind.LOSE_RESPONSE])
@pytest.mark.parametrize("operation", ["SplitShard", "MergeShards", "DescribeStreamSummary"])
def test_a_plan_goes_on_after_an_error(operation: str, kind: FaultKind) -> None:
    """What fails, with or without its effect, is told with what to do; done again it reaches the target."""
    kinesis = FakeKinesis()
    client = kinesis.client()
    client.create_stream(StreamName="orders", ShardCount=3)
    kinesis.faults.add(Fault(operation=operation, kind=kind))
    with pytest.raises(InputError, match="steps were done; run the same command again"):
        Resharding(client, "orders").apply(plan("targeted", CURRENT, TARGET))
    current = tuple(open_shards(client, "orders"))
    Resharding(client, "orders").apply(plan("targeted", current, TARGET))
    assert tuple(open_shards(client, "orders")) == TARGET


def test_update_shard_count_is_called_count_by_count() -> None:
    """Equal ranges are made by Kinesis itself, each call after the one before has ended."""
    time = Time()
    client = FakeKinesis(clock=time, transition_seconds=45.0).client()
    client.create_stream(StreamName="orders", ShardCount=3)
    seen = Seen()
    steps = tuple(UpdateCount(count) for count in (6, 12, 20))
    made = Plan("uniform", uniform_starts(20), steps, 20)
    assert Resharding(client, "orders", seen, sleep=time.sleep, clock=time).apply(made) == 3
    assert tuple(open_shards(client, "orders")) == uniform_starts(20)
    assert seen.steps == list(steps)


class OwnRounding:
    """A client of a Kinesis that rounds equal ranges in its own way: its boundaries are a few keys away."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def update_shard_count(self, **asked: Any) -> Any:
        shards = asked["TargetShardCount"]
        (only,) = open_shards(self._client, "orders").values()
        at = str(2**128 // shards + 3)
        return self._client.split_shard(StreamName="orders", ShardToSplit=only, NewStartingHashKey=at)


def test_stages_go_on_where_kinesis_rounds_otherwise() -> None:
    """The second stage splits the shards that the first has made, though they begin some keys beside."""
    client = OwnRounding(FakeKinesis().client())
    client.create_stream(StreamName="orders", ShardCount=1)
    made = plan("uniform", uniform_starts(2), uniform_starts(4))
    staged = Plan("uniform", made.starts, (UpdateCount(2), *made.steps), 4)
    assert Resharding(client, "orders").apply(staged) == 3
    assert tuple(open_shards(client, "orders")) == (0, 2**126, 2**127 + 3, 3 * 2**126)


def test_nothing_waits_in_silence_and_steps_rest_between() -> None:
    """What a wait is for is told as long as it lasts; between steps, not before or after, it cools off."""
    time = Time()
    client = FakeKinesis(clock=time, transition_seconds=30.0).client()
    client.create_stream(StreamName="orders", ShardCount=3)
    assert stream_status(client, "orders") == "CREATING"
    seen, made = Seen(), plan("targeted", CURRENT, TARGET)
    Resharding(client, "orders", seen, cool_off=5.0, sleep=time.sleep, clock=time).apply(made)
    assert ("orders is CREATING", 0.0) in seen.waits
    assert ("orders is UPDATING", 29.0) in seen.waits
    rests = [seconds for why, seconds in seen.waits if why == "cooling off for 5 s"]
    assert rests == [0.0, 1.0, 2.0, 3.0, 4.0] * (len(made.steps) - 1)


def test_a_stream_that_stays_in_its_state_is_given_up() -> None:
    """Ten minutes are enough for one step; after them the state is named."""
    time = Time()
    client = FakeKinesis(clock=time, transition_seconds=1e6).client()
    client.create_stream(StreamName="orders", ShardCount=3)
    with pytest.raises(InputError, match="still CREATING after 10 minutes"):
        Resharding(client, "orders", sleep=time.sleep, clock=time).apply(plan("targeted", CURRENT, TARGET))


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
        stream_status(OnDemand(), "orders")


def test_the_room_is_what_other_streams_leave() -> None:
    """The quota is the account's; an account that may not be asked has none that is known."""
    kinesis = FakeKinesis(limits=Limits(open_shards=10))
    kinesis.client().create_stream(StreamName="others", ShardCount=6)
    assert room_for_shards(kinesis.client()) == 4
    kinesis.faults.add(Fault(operation="DescribeLimits", error="AccessDeniedException"))
    assert room_for_shards(kinesis.client()) is None
