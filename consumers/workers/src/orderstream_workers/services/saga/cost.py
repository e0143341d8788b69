"""What an order has cost at its end, as far as the coordinator knows: steps, lines, customer."""

from collections.abc import Iterator

from orderstream_orders.contracts import (
    CustomerNotified,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    StockSold,
)
from orderstream_orders.contracts.message import OrderMessage
from orderstream_workers.cost import estimated
from orderstream_workers.services.saga.definition import Step, definition_of
from orderstream_workers.services.saga.state import Phase, Progress, Saga, Status

_CUSTOMERS_OWN = "customer_request"


def cost_of(saga: Saga, region: str) -> float | None:
    """Reckon what AWS bills for an order that is at its end; what follows from the end is in it.

    Args:
        saga: The order.
        region: Whose prices count.

    Returns:
        USD; None where the order's lines or the Region's prices are not known.
    """
    if saga.order.line_count is None:
        return None
    messages: dict[str, int] = {}
    for message in messages_of(saga):
        messages[message.type_name()] = messages.get(message.type_name(), 0) + 1
    mails = int(saga.order.customer.email is not None)
    return estimated(messages, lines=saga.order.line_count, mails=mails, region=region).total


def messages_of(saga: Saga) -> Iterator[type[OrderMessage]]:
    """Yield the messages that such an end implies, each as often as it was asked for without a time-out."""
    yield OrderPlaced
    if saga.failure is not None and saga.failure.reason == _CUSTOMERS_OWN:
        yield OrderCancellationRequested
    for step in definition_of(saga.definition).steps():
        yield from _of_step(step, saga.step(step.name))
    if saga.phase is Phase.CONFIRMED:
        yield OrderConfirmed
        yield StockSold
    else:
        yield OrderCancelled
    yield CustomerNotified


def _of_step(step: Step, progress: Progress) -> Iterator[type[OrderMessage]]:
    if progress.status is Status.NONE:
        return
    yield step.request
    if progress.was_done:
        yield step.done
    if progress.status is Status.REFUSED:
        yield step.refused
    if progress.status in {Status.CANCELLING, Status.UNDONE} and step.compensation is not None:
        yield step.compensation
    if progress.status is Status.UNDONE and step.undone is not None:
        yield step.undone
