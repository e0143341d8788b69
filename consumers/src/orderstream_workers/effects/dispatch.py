"""Hands each message to the function of a service that wants it."""

from collections.abc import Callable, Mapping

from orderstream.events import decode_envelope
from orderstream_workers.effects.received import Received
from orderstream_workers.engine.record import DeliveredRecord

Route = Callable[[Received], None]
"""Carries out what one type of message asks for; returns once that is committed and acknowledged."""


class MessageHandler:
    """The record handler of a service.

    Args:
        routes: By CloudEvents type. Other types are none of this service's business and are passed over.
    """

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = dict(routes)

    def handle(self, record: DeliveredRecord) -> None:
        """Decode a record and carry it out.

        Raises:
            NotAnEventError: the record is no envelope, or its data does not fit its type.
            DependencyError: try again.
        """
        envelope = decode_envelope(record.data)
        route = self._routes.get(envelope.type)
        if route is not None:
            route(Received(envelope, record.shard_id, record.position))
