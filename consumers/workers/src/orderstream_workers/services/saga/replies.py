"""Which replies the coordinator can have: those to commands that it sent, of a type that these name."""

from collections.abc import Iterator

from orderstream_orders.contracts import Command, RefuseShipment
from orderstream_workers.services.saga.definition import Definition, Reply, Step, definition_of
from orderstream_workers.services.saga.errors import UnaskedReplyError
from orderstream_workers.services.saga.state import Saga


def check_asked_for(saga: Saga | None, reply: Reply, correlation_id: str | None) -> None:
    """Refuse a reply without its command; one that is merely late, or comes again, passes.

    Args:
        saga: The order as it is; None where no order was placed.
        reply: The reply.
        correlation_id: The command that it says it answers, ``"<step>:<attempt>"``.

    Raises:
        UnaskedReplyError: no such command was sent, or it names no such reply.
        UnknownDefinitionError: the order follows a definition that this program does not have.
    """

    def refused(reason: str) -> UnaskedReplyError:
        return UnaskedReplyError(reply.order_id, reply.type_name(), correlation_id, reason)

    if saga is None:
        raise refused("no such order was placed")
    definition = definition_of(saga.definition)
    name, _, number = (correlation_id or "").rpartition(":")
    step = next((step for step in definition.steps() if step.name == name), None)
    attempt = int(number) if number.isascii() and number.isdecimal() else 0
    if step is None or not 1 <= attempt <= saga.step(name).attempt:
        raise refused("no such command was sent")
    if not any(type(reply) in command.replies() for command in _sent(definition, step, attempt)):
        raise refused("that command names no such reply")


def _sent(definition: Definition, step: Step, attempt: int) -> Iterator[type[Command]]:
    """What may have been sent under an attempt: first the step's request, later what undoes or repeats it."""
    yield step.request
    if attempt > 1 and step.compensation is not None:
        yield step.compensation
    if attempt > 1 and step is definition.pivot:
        yield RefuseShipment
