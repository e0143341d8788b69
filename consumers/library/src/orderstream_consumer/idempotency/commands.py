"""Data-processing services: each command is carried out by a function of the command alone.

::

    command ──> function ──┬── reply: success or an expected error ──> the sender's reply address
                           └── exception ──> once more ──> parked with its reason

Such a service keeps no state: whatever it needs is in the command. So there is nothing to guard. A command
that comes again is carried out again, and its reply has the same id and the same time, which are the
command's; if the function is deterministic, the reply has the same content, too, and its receiver drops it.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from orderstream.configuration import ConfigError
from orderstream.messages import Command, Reply, replying
from orderstream_consumer.idempotency.dispatch import Count, MessageHandler, Route, uncounted
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.processing.record import DeliveredRecord

_C = TypeVar("_C", bound=Command)
_R = TypeVar("_R", bound=Reply)


class CommandService:
    """Carries out the commands of one service, and sends their replies.

    Example:
        ::

            labels = CommandService("labels", publisher=KinesisPublisher(producer))

            @labels.carries_out(PrintLabel)
            def print_label(command: PrintLabel) -> LabelPrinted | LabelRefused:
                ...

            config = ConsumerConfig(retries=CommandService.RETRIES)
            Consumer("labels", stream="orders", handler=labels.handle, config=config).run()

    A function returns one of the replies that its command names; an expected error is one of them. It raises
    ``DependencyError`` where something that it needs does not respond: it is called again until that does.
    Any other exception is unexpected. It may be called from many threads.

    Args:
        name: The service: owner of the commands, and source of the replies.
        publisher: Sends the replies, and returns once they are acknowledged.
        count: Counts events that are passed over, see ``MessageHandler``.
        spans: Begins a span for each command; by default nothing is traced.
    """

    RETRIES: ClassVar[int] = 1
    """How often delivery tries a command again after an unexpected exception, before it is parked."""

    def __init__(
        self,
        name: str,
        *,
        publisher: Publisher,
        count: Count = uncounted,
        spans: ProcessSpans = NOT_TRACED,
    ) -> None:
        self._name = name
        self._publisher = publisher
        self._count = count
        self._spans = spans
        self._routes: dict[str, Route] = {}
        self._messages = MessageHandler({})

    def carries_out(self, command: type[_C]) -> Callable[[Callable[[_C], _R]], Callable[[_C], _R]]:
        """Let a function carry out a type of command; a decorator.

        Args:
            command: The type of command.

        Raises:
            ConfigError: The command is another service's, or is carried out by another function already.
        """
        type_name = command.type_name()
        if command.owner != self._name:
            raise ConfigError("command", type_name, f"a command that {self._name!r} owns")
        if type_name in self._routes:
            raise ConfigError("command", type_name, "a command that no other function carries out")

        def register(function: Callable[[_C], _R]) -> Callable[[_C], _R]:
            self._routes[type_name] = self._route(command, function)
            self._messages = MessageHandler(self._routes, self._count, spans=self._spans, address=self._name)
            return function

        return register

    def routes(self) -> Mapping[str, Route]:
        """By CloudEvents type, what carries it out, for a ``MessageHandler`` of your own."""
        return dict(self._routes)

    def handle(self, record: DeliveredRecord) -> None:
        """Carry out the command of a record; other messages are passed over.

        Raises:
            UnknownMessageTypeError: It is a command of this service that no function carries out.
            ReplyWithoutCommandError: The command does not name the reply that its function returned.
            DependencyError: The function's own, or the stream's; try again.
            Exception: Whatever else ``MessageHandler.handle`` or the function raises.
        """
        self._messages.handle(record)

    def _route(self, kind: type[_C], function: Callable[[_C], Any]) -> Route:
        def carry_out(received: Received) -> None:
            reply = function(received.message(kind))
            # The command's own time: a reply that is made again has to have the same.
            asked = received.envelope
            envelope = replying(asked, reply, source=self._name, time=asked.time)
            self._publisher.publish([envelope.encode()], received.subject)

        return carry_out
