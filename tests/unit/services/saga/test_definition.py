"""The declaration of the flow, and the deadlines."""

import datetime as dt

import msgspec
import pytest

from orderstream_orders.catalogue import example_of
from orderstream_orders.contracts import OrderPlaced, StockReserved
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import (
    CAPTURE_PAYMENT,
    CURRENT,
    RESERVE_STOCK,
    SHIP_ORDER,
    Definition,
    definition_of,
)
from orderstream_workers.services.saga.domain import SagaOutcome, transition
from orderstream_workers.services.saga.errors import UnknownDefinitionError

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)


def test_an_order_is_pinned_to_the_definition_it_was_started_with() -> None:
    """New orders follow the current definition, and it is found again by their version."""
    placed = example_of(OrderPlaced).message()
    assert isinstance(placed, OrderPlaced)
    outcome = transition(None, placed, NOW, SagaDeadlines())
    assert isinstance(outcome, SagaOutcome)
    assert outcome.saga is not None
    assert definition_of(outcome.saga.definition) is CURRENT


def test_an_order_of_a_newer_program_is_left_alone() -> None:
    """After a rollback an order may follow a definition that is not known: guessing could charge twice."""
    placed = example_of(OrderPlaced).message()
    assert isinstance(placed, OrderPlaced)
    outcome = transition(None, placed, NOW, SagaDeadlines())
    assert isinstance(outcome, SagaOutcome)
    assert outcome.saga is not None
    newer = msgspec.structs.replace(outcome.saga, definition=99)
    with pytest.raises(UnknownDefinitionError, match="version 99") as caught:
        transition(newer, StockReserved(order_id=placed.order_id), NOW, SagaDeadlines())
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "groups",
    [
        ((RESERVE_STOCK,), (CAPTURE_PAYMENT, SHIP_ORDER)),
        ((RESERVE_STOCK, SHIP_ORDER), (CAPTURE_PAYMENT,)),
    ],
)
def test_a_flow_that_could_not_be_undone_is_refused(groups: tuple[tuple[object, ...], ...]) -> None:
    """The pivot is alone and last, and all before it has a compensation."""
    with pytest.raises(ValueError, match="pivot"):
        Definition(version=2, groups=groups)  # type: ignore[arg-type]


def test_deadlines_are_above_zero() -> None:
    """A deadline in the past would cancel every order."""
    with pytest.raises(ValueError, match="ship_order"):
        SagaDeadlines(ship_order=dt.timedelta(0))


def test_payments_can_say_that_they_are_too_late() -> None:
    """The coordinator waits longer than the payment may be charged, or it would never hear of it."""
    with pytest.raises(ValueError, match="payment_not_after"):
        SagaDeadlines(capture_payment=dt.timedelta(minutes=15))
