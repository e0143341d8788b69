"""Who may say what in a conversation: how each kind of message is wrapped, and what no message may lack.

::

    outside the stream ──initial──> event ──following──> event
                                      │ requesting
                                      v
                                   command ──replying──> reply ──following, requesting──> ...

A conversation begins with an event that happens for reasons outside the stream, never with a command or a
reply. A command says where its reply goes. A reply goes there, under its command's correlation id, and is one
of those that the command's contract names.
"""

import datetime as dt

import msgspec

from orderstream.messages.envelope import Envelope
from orderstream.messages.errors import (
    CommandWithoutSenderError,
    ConversationBegunError,
    ReplyWithoutCommandError,
)
from orderstream.messages.identity import derived_id
from orderstream.messages.message import Command, Event, Message, Reply
from orderstream.messages.registry import REGISTRY


def initial(
    message: Event,
    *,
    source: str,
    event_id: str,
    time: dt.datetime,
    correlation_id: str | None = None,
    traceparent: str | None = None,
    conversation_id: str | None = None,
) -> Envelope:
    """Wrap an event that no other message caused. Its conversation is new unless one is named.

    Args:
        message: The event.
        source: The service that publishes it.
        event_id: Its id; derive it from the caller's idempotency key.
        time: When it was decided (UTC, with zone).
        correlation_id: The publisher's own identifier, which what follows will carry.
        traceparent: W3C trace context.
        conversation_id: The conversation to join; defaults to the event's own id.

    Raises:
        ConversationBegunError: it is no event that happens for reasons outside the stream.
    """
    if message.kind != "event" or not message.outside:
        raise ConversationBegunError(message.type_name())
    return _wrapped(
        message,
        id=event_id,
        source=source,
        time=time,
        conversation_id=conversation_id or event_id,
        correlation_id=correlation_id,
        traceparent=traceparent,
    )


def following(cause: Envelope, message: Event, *, source: str, ordinal: int, time: dt.datetime) -> Envelope:
    """Wrap an event that another message caused: same conversation, derived id.

    Args:
        cause: The envelope that the event follows from.
        message: The event.
        source: The service that publishes it.
        ordinal: Its index among the messages of this decision, from 0.
        time: When it was decided (UTC, with zone).

    Raises:
        CommandWithoutSenderError: it is a command; ``requesting`` wraps those.
        ReplyWithoutCommandError: it is a reply; ``replying`` wraps those.
    """
    _refuse_unless_event(message)
    return _caused(cause, message, source=source, ordinal=ordinal, time=time)


def requesting(
    cause: Envelope,
    command: Command,
    *,
    source: str,
    ordinal: int,
    time: dt.datetime,
    correlation_id: str,
    reply_to: str,
) -> Envelope:
    """Wrap a command that a message led to: same conversation, derived id, and where the reply goes.

    Args:
        cause: The envelope that the command follows from.
        command: The command.
        source: The service that sends it.
        ordinal: Its index among the messages of this decision, from 0.
        time: When it was decided (UTC, with zone).
        correlation_id: The sender's own identifier of the request, which the reply carries.
        reply_to: The service that the reply is for.

    Raises:
        CommandWithoutSenderError: that service acts on no such reply, or the correlation id is empty.
    """
    _check_sender(type(command), reply_to, correlation_id)
    envelope = _caused(cause, command, source=source, ordinal=ordinal, time=time)
    return msgspec.structs.replace(envelope, correlation_id=correlation_id, reply_to=reply_to)


def replying(command: Envelope, reply: Reply, *, source: str, time: dt.datetime) -> Envelope:
    """Wrap the reply to a command: to its reply address, under its correlation id.

    A command has one reply forever, so its ordinal is always 0: two different ones could never both pass.

    Args:
        command: The command, as it was received.
        reply: One of the replies that it names.
        source: The service that carried it out.
        time: When that was decided (UTC, with zone).

    Raises:
        ReplyWithoutCommandError: what is answered is no command, or one that does not name such a reply.
        CommandWithoutSenderError: the command does not say where its reply goes.
    """
    asked = REGISTRY.type_of(command.type)
    if asked is None or not issubclass(asked, Command):
        raise ReplyWithoutCommandError(reply.type_name(), f"{command.type} is no command that is known")
    if type(reply) not in asked.replies():
        raise ReplyWithoutCommandError(reply.type_name(), f"{command.type} names no such reply")
    _check_sender(asked, command.reply_to, command.correlation_id)
    envelope = _caused(command, reply, source=source, ordinal=0, time=time)
    return msgspec.structs.replace(envelope, recipient=command.reply_to)


def check_conversation(envelope: Envelope) -> None:
    """Hold an envelope to what its kind may not lack, where it leaves a service and where it enters one.

    Whether a reply answers a command that was sent, only the sender knows. Types that are not known pass.

    Raises:
        ConversationBegunError: it has no cause, and is none that may begin a conversation.
        CommandWithoutSenderError: a command's reply would reach nobody.
        ReplyWithoutCommandError: a reply is for nobody.
    """
    kind = REGISTRY.type_of(envelope.type)
    if kind is None:
        return
    caused = envelope.causation_id is not None
    if not issubclass(kind, Command | Reply):
        if not caused and not getattr(kind, "outside", False):
            raise ConversationBegunError(envelope.type)
        return
    if not caused or envelope.conversation_id == envelope.id:
        raise ConversationBegunError(envelope.type)
    if issubclass(kind, Command):
        _check_sender(kind, envelope.reply_to, envelope.correlation_id)
    elif not envelope.correlation_id:
        raise ReplyWithoutCommandError(envelope.type, "it has no correlationid")
    elif envelope.recipient is not None and envelope.recipient not in kind.consumers:
        raise ReplyWithoutCommandError(envelope.type, f"its recipient {envelope.recipient!r} acts on none")


def _check_sender(command: type[Command], reply_to: str | None, correlation_id: str | None) -> None:
    reached = reply_to and all(reply_to in kind.consumers for kind in command.replies())
    if not reached or not correlation_id:
        raise CommandWithoutSenderError(command.type_name(), reply_to, correlation_id)


def _refuse_unless_event(message: Message) -> None:
    if isinstance(message, Command):
        raise CommandWithoutSenderError(message.type_name(), None, None)
    if isinstance(message, Reply):
        raise ReplyWithoutCommandError(message.type_name(), "no command was named")


def _caused(cause: Envelope, message: Message, *, source: str, ordinal: int, time: dt.datetime) -> Envelope:
    return _wrapped(
        message,
        id=derived_id(source, cause.id, ordinal),
        source=source,
        time=time,
        conversation_id=cause.conversation_id,
        correlation_id=cause.correlation_id,
        causation_id=cause.id,
        traceparent=cause.traceparent,
    )


def _wrapped(
    message: Message,
    *,
    id: str,  # noqa: A002 - CloudEvents' name
    source: str,
    time: dt.datetime,
    conversation_id: str,
    correlation_id: str | None,
    traceparent: str | None,
    causation_id: str | None = None,
) -> Envelope:
    return Envelope(
        specversion="1.0",
        id=id,
        source=source,
        type=message.type_name(),
        subject=message.subject,
        time=time,
        datacontenttype="application/json",
        dataschema=message.schema_uri(),
        conversation_id=conversation_id,
        correlation_id=correlation_id,
        causation_id=causation_id,
        traceparent=traceparent,
        data=msgspec.Raw(msgspec.json.encode(message)),
    )
