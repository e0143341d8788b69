"""Hands each message to the function of a service that wants it."""

import logging
from collections.abc import Callable, Collection, Mapping

import msgspec

from orderstream.messages import (
    REGISTRY,
    Envelope,
    IdentifierInvalidError,
    Message,
    NotAnEventError,
    Reply,
    UnknownMessageTypeError,
    check_conversation,
    check_identifiers,
    decode_envelope,
)
from orderstream.observability.log_context import log_about
from orderstream_consumer.idempotency.received import Received, subject_of
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.record import DeliveredRecord

logger = logging.getLogger(__name__)

Route = Callable[[Received], None]
"""Carries out what one type of message asks for; returns once that is committed and acknowledged."""

Count = Callable[[str], object]
"""Counts one occurrence of something under its name, for ``/health``; see ``DeliveryTally.count``."""


IsKnown = Callable[[str], bool]
"""Whether a service has taken what a subject names, such as an order; may raise DependencyError."""


def nobody_knows(_: str) -> bool:
    """Know no subject."""
    return False


def uncounted(_: str) -> None:
    """Count nothing."""


class MessageHandler:
    """The record handler of a service.

    Args:
        routes: By CloudEvents type. Other types are none of this service's business and are passed over.
        count: Counts ``unknown_type``: events passed over because their type is not known here.
        overtaking: The messages that never wait behind parked ones of their order: the compensations.
        is_known: Asked of an order whose identifiers would not be taken today, where a conversation about it
            begins: one that an earlier version took is carried out, and so is what comes of it again.
        spans: Begins a span for each message that is carried out; by default nothing is traced.
        address: The service's name, which its commands give as reply address: replies to others are passed
            over. None: the service sends no commands.
    """

    def __init__(
        self,
        routes: Mapping[str, Route],
        count: Count = uncounted,
        overtaking: Collection[type[Message]] = (),
        is_known: IsKnown = nobody_knows,
        spans: ProcessSpans = NOT_TRACED,
        address: str | None = None,
    ) -> None:
        self._address = address
        self._routes = dict(routes)
        self._count = count
        self._is_known = is_known
        self._spans = spans
        self._overtaking = frozenset(message_type.type_name() for message_type in overtaking)
        self._addresses = {_address(type_name) for type_name in routes} - {""}

    def handle(self, record: DeliveredRecord) -> None:
        """Decode a record and carry it out.

        Raises:
            NotAnEventError: the record is no envelope, or its data does not fit its type.
            IdentifierInvalidError: it begins a conversation, and the order's id, or another one, could not be
                carried by a neighbour.
            UnsupportedSchemaVersionError: the data's version is not known here.
            UnknownMessageTypeError: a command that is addressed to this service has no route here.
            ConversationBegunError: it has no cause, and is none that may begin a conversation.
            CommandWithoutSenderError: it is a command whose reply would reach nobody.
            ReplyWithoutCommandError: it is a reply for nobody.
            DependencyError: try again.
        """
        envelope = decode_envelope(record.data)
        log_about(
            **subject_of(envelope),
            conversation_id=envelope.conversation_id,
            event_id=envelope.id,
            event_type=envelope.type,
        )
        route = self._routes.get(envelope.type)
        if route is not None:
            self._carry_out(route, record, envelope)
        elif REGISTRY.type_of(envelope.type) is None or _address(envelope.type) in self._addresses:
            self._pass_over(envelope)

    def _carry_out(self, route: Route, record: DeliveredRecord, envelope: Envelope) -> None:
        with self._spans.message(record, envelope) as span:
            if envelope.conversation_id == envelope.id:
                self._demand_identifiers(envelope)
            check_conversation(envelope)
            if self._is_for_another(envelope):
                return
            if span.traceparent is not None:
                envelope = msgspec.structs.replace(envelope, traceparent=span.traceparent)
            route(Received(envelope, record.shard_id, record.position, record.approximate_arrival, span))

    def _is_for_another(self, envelope: Envelope) -> bool:
        """Whether it is a reply to the command of another service; earlier versions named no recipient."""
        if envelope.recipient in {None, self._address}:
            return False
        kind = REGISTRY.type_of(envelope.type)
        return kind is not None and issubclass(kind, Reply)

    def overtakes(self, record: DeliveredRecord) -> bool:
        """True for a message that is carried out although earlier ones of its order are parked."""
        if not self._overtaking:
            return False
        try:
            return decode_envelope(record.data).type in self._overtaking
        except NotAnEventError:
            return False  # it waits with its reason for an operator

    def _demand_identifiers(self, envelope: Envelope) -> None:
        """Where it enters, and only there: an order that an earlier version took still ends.

        Parked, its first message would hold back all later ones, though its effects are done.
        """
        try:
            check_identifiers(envelope)
        except IdentifierInvalidError:
            if not self._is_known(envelope.subject):
                raise

    def _pass_over(self, envelope: Envelope) -> None:
        """A publisher of a new event need not wait for all consumers; a command has to be carried out."""
        if _address(envelope.type) in self._addresses:
            raise UnknownMessageTypeError(envelope.type)
        self._count("unknown_type")
        logger.warning("event of an unknown type passed over")


def _address(type_name: str) -> str:
    """The service that a command is addressed to; empty for an event."""
    service, dot, _ = type_name.partition(".")
    return service if dot else ""
