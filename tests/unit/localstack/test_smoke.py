"""The smoke test finds an order that did not end as it has to."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from localstack.smoke import ORDERED, RECEIVED, Pipeline, SmokeError, play, until


@dataclass
class Played:
    """A pipeline in which an order ends at once, well unless it is told otherwise."""

    end: str = "CONFIRMED"
    taken: int = ORDERED
    paid: bool = True
    shipped: bool = True
    given_up: int = 0
    stock: int = 0
    dead: int = 7

    def receive_stock(self) -> None:
        self.stock += RECEIVED

    def available(self) -> int:
        return self.stock

    def place(self, key: str) -> str:
        self.stock -= self.taken
        self.dead += self.given_up
        return f"order-of-{key[:5]}"

    def end_of(self, order_id: str) -> str:
        return self.end

    def is_shipped(self, order_id: str) -> bool:
        return self.shipped

    def is_paid(self, order_id: str) -> bool:
        return self.paid

    def dead_payments(self) -> int:
        return self.dead

    def shards(self) -> int:
        return 4


def played(pipeline: Played) -> str:
    return play(cast("Pipeline", pipeline))


def test_an_order_that_ends_well_is_told_of() -> None:
    """With all that was looked at."""
    assert played(Played()) == (
        "order order-of-smoke through 4 shards: it is confirmed, its units are taken, it is paid, "
        "it is shipped, no payment was given up"
    )


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"end": "CANCELLED"}, "it is confirmed"),
        ({"taken": 0}, "its units are taken"),
        ({"taken": 2 * ORDERED}, "its units are taken"),
        ({"paid": False}, "it is paid"),
        ({"shipped": False}, "it is shipped"),
        ({"given_up": 1}, "no payment was given up"),
    ],
)
def test_each_thing_that_is_wrong_is_found(planted: dict[str, Any], found: str) -> None:
    """A pipeline that says CONFIRMED and has not done the work is found out, and so is the reverse."""
    with pytest.raises(SmokeError, match=f"it does not hold that {found}"):
        played(Played(**planted))


def test_an_order_that_does_not_end_is_not_waited_for_forever() -> None:
    """After two minutes it is named."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(SmokeError, match="no end of order 7 within 120 seconds"):
        until("end of order 7", lambda: None, lambda: now[0], sleep)
