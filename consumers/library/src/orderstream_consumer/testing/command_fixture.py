"""Sends commands to a service as a coordinator does, over a stream in memory, and gives the replies back."""

import datetime as dt
from collections.abc import Callable, Iterator

import msgspec

from orderstream.errors import OrderstreamError
from orderstream.messages import Command, Envelope, Reply, decode_envelope
from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.idempotency import CollectingPublisher, CommandService, Publisher
from orderstream_consumer.testing.fixture import ConsumerFixture


class CommandParkedError(OrderstreamError):
    """A command was tried once more and then parked.

    Args:
        command: The command's type name.
        reason: The exception, as the dead letter has it.
    """

    def __init__(self, command: str, reason: str) -> None:
        self.command = command
        self.reason = reason
        super().__init__(f"{command} was parked: {reason}; mend the service, or return a reply that says so")


class CommandFixture:
    """A sender of commands for tests: delivery, the second try and parking are the consumer's own.

    Args:
        service: Makes the service, given the publisher that collects its replies.

    Attributes:
        replies: The envelopes of all replies, as the stream would have them.
    """

    def __init__(self, service: Callable[[Publisher], CommandService]) -> None:
        self._published = CollectingPublisher()
        self._delivery = ConsumerFixture(
            handler=service(self._published).handle, config=ConsumerConfig(retries=CommandService.RETRIES)
        )
        self._sent = 0

    def send(self, command: Command, *, correlation_id: str = "step:1") -> Reply:
        """Send a command, as a service that acts on its replies does.

        Args:
            command: The command.
            correlation_id: The sender's own identifier of it.

        Returns:
            The reply.

        Raises:
            CommandParkedError: The service failed unexpectedly, twice.
            NotDeliveredError: Something that it depends on does not respond.
        """
        self._sent += 1
        before = len(self._published.published)
        self._delivery.put(_asked(command, self._sent, correlation_id).encode(), command.subject)
        self._delivery.deliver()
        if len(self._published.published) == before:
            raise CommandParkedError(command.type_name(), dict(self._reasons())[command.subject])
        reply = self.replies[-1].message()
        assert isinstance(reply, Reply)
        return reply

    def redeliver(self) -> None:
        """Deliver every command again, as after a crash."""
        self._delivery.rewind()
        self._delivery.deliver()

    def _reasons(self) -> Iterator[tuple[str, str]]:
        for key in self._delivery.parked.keys():  # noqa: SIM118 - no dictionary
            yield key.partition_key, key.reason

    @property
    def replies(self) -> list[Envelope]:
        """The envelopes of all replies, as the stream would have them."""
        return [decode_envelope(data) for data in self._published.published]


def _asked(command: Command, number: int, correlation_id: str) -> Envelope:
    (sender, *_) = command.success[0].consumers
    return Envelope(
        specversion="1.0",
        id=f"command-{number}",
        source=sender,
        type=command.type_name(),
        subject=command.subject,
        time=dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number),
        datacontenttype="application/json",
        dataschema=command.schema_uri(),
        conversation_id="conversation",
        correlation_id=correlation_id,
        causation_id="cause",
        reply_to=sender,
        data=msgspec.Raw(msgspec.json.encode(command)),
    )
