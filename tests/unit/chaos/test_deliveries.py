"""Messages come again and late, and never more of them than were asked for."""

import json
from random import Random

from chaos.deliveries import Deliveries


def response(*names: str) -> bytes:
    return json.dumps({"Messages": [{"MessageId": name} for name in names]}).encode()


def names(body: bytes | None) -> list[str]:
    assert body is not None
    return [message["MessageId"] for message in json.loads(body)["Messages"]]


def test_a_full_response_can_bring_a_message_again() -> None:
    """A consumer that asks for one message at a time meets duplicates too; the newcomer comes late."""
    deliveries = Deliveries(Random(1))
    deliveries.remember(response("a"))
    assert names(deliveries.again(response("b"), 1)) == ["a"]
    assert names(deliveries.shuffled(response("c"))) == ["b"]


def test_few_are_held_back() -> None:
    """What is held back is soon no more than a few: the rest of the responses stay as they are."""
    deliveries = Deliveries(Random(1))
    deliveries.remember(response("a"))
    spoiled = [deliveries.again(response(str(number)), 1) for number in range(9)]
    assert sum(body is not None for body in spoiled) == 3
