"""Plans carried out on a stream."""

import pytest

from orderstream.testing import FakeKinesis
from shard_sizing.errors import InputError
from shard_sizing.live.reshard import apply_plan, open_shards
from shard_sizing.model.planner import Step, plan, uniform_starts


class InterruptedHereError(Exception):
    """Someone pressed Ctrl-C."""


def test_a_plan_is_carried_out_and_goes_on_after_an_interruption() -> None:
    """Interrupted after two steps and planned again, the stream ends in exactly the target."""
    client = FakeKinesis().client()
    client.create_stream(StreamName="orders", ShardCount=3)
    seen: list[Step] = []

    def interrupt(step: Step) -> None:
        seen.append(step)
        if len(seen) == 2:
            raise InterruptedHereError

    def again() -> None:
        current = tuple(open_shards(client, "orders"))
        apply_plan(client, "orders", plan("uniform", current, uniform_starts(5)), interrupt)

    with pytest.raises(InterruptedHereError):
        again()
    again()
    assert tuple(open_shards(client, "orders")) == uniform_starts(5)


def test_an_unknown_stream_is_told() -> None:
    """A stream that does not exist is a sentence with its name."""
    with pytest.raises(InputError, match="nowhere"):
        open_shards(FakeKinesis().client(), "nowhere")
