"""A table that is being created is waited for; one that will not be usable is an outage at once."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from orderstream.errors import DependencyError
from orderstream_consumer.store import wait_until_usable


class Describing:
    """A client that describes a table as one state after the other, the last one again and again."""

    def __init__(self, *states: str) -> None:
        self._states = list(states)
        self.looks = 0

    def describe_table(self, **_: Any) -> Any:
        self.looks += 1
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if state == "missing":
            error: Any = {"Error": {"Code": "ResourceNotFoundException", "Message": "not found"}}
            raise ClientError(error, "DescribeTable")
        return {"Table": {"TableStatus": state}}


@pytest.mark.parametrize(
    ("states", "pauses"),
    [(["ACTIVE"], 0), (["UPDATING"], 0), (["missing", "CREATING", "CREATING", "ACTIVE"], 3)],
)
def test_a_table_is_waited_for_until_it_can_be_read_and_written(states: list[str], pauses: int) -> None:
    """Descriptions come late, and a table that is being updated serves meanwhile."""
    slept: list[float] = []
    wait_until_usable(Describing(*states), "orderstream-parking", sleep=slept.append)  # type: ignore[arg-type]
    assert slept == [1.0] * pauses


@pytest.mark.parametrize(("state", "looks"), [("DELETING", 1), ("CREATING", 60), ("missing", 60)])
def test_a_table_that_does_not_come_is_an_outage(state: str, looks: int) -> None:
    """Whoever waits asks again, and reads of which table and in which state it is."""
    client = Describing(state)
    with pytest.raises(DependencyError, match="orderstream-parking") as caught:
        wait_until_usable(client, "orderstream-parking", sleep=lambda _: None)  # type: ignore[arg-type]
    assert client.looks == looks
    assert caught.value.retryable
    assert caught.value.reason.startswith("the table is ")
