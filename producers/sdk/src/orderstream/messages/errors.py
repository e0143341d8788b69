"""Errors of bytes that are not a usable message."""

from typing import Final

from orderstream.errors import OrderstreamError

_SHOWN: Final = 40
"""Characters of a bad identifier that an error quotes."""


class NotAnEventError(OrderstreamError):
    """The bytes are no CloudEvents envelope, or its data does not fit its type.

    Args:
        reason: What does not fit, with the path to it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"not an event of this stream: {reason}; publish it with orderstream.EventPublisher")


class IdentifierInvalidError(OrderstreamError):
    """An identifier that our neighbours cannot carry: SQS, HTTP headers, keys of tables.

    Args:
        name: What it is called, e.g. ``"subject"``.
        value: What it is.
    """

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
        super().__init__(
            f"{name} {shown!a} is no identifier: use 1 to 256 characters that can be seen (512 bytes in "
            "UTF-8), with plain spaces only between them"
        )


class DataTooLargeError(NotAnEventError):
    """An event's compressed data is larger than any event may be; it was not decompressed.

    Args:
        limit: Most bytes of an event's data, uncompressed.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            f"its data has more than {limit} bytes uncompressed; store it elsewhere and refer to it"
        )


class UnknownMessageTypeError(OrderstreamError):
    """The envelope names a type that this version does not know.

    Args:
        message_type: The CloudEvents type.
    """

    def __init__(self, message_type: str) -> None:
        self.message_type = message_type
        super().__init__(
            f"unknown message type {message_type!r}; update this service to a version that knows it"
        )


class UnsupportedSchemaVersionError(OrderstreamError):
    """The data's schema version is newer than this version knows, or not readable at all.

    Args:
        dataschema: The CloudEvents dataschema.
        supported: The highest version that is known.
    """

    def __init__(self, dataschema: str, supported: int) -> None:
        self.dataschema = dataschema
        self.supported = supported
        super().__init__(
            f"schema {dataschema!r} cannot be read, only up to version {supported}; update the service"
        )


class MessageTypeTakenError(OrderstreamError, ValueError):
    """Two classes have one type name, so that data could be read as the wrong one.

    Args:
        type_name: The name.
        owner: The class that has it.
    """

    def __init__(self, type_name: str, owner: str) -> None:
        self.type_name = type_name
        self.owner = owner
        super().__init__(f"{owner} is registered as {type_name} already; give the new message another name")


class ConversationBegunError(OrderstreamError):
    """A message has no cause, and is none that may begin a conversation.

    Args:
        type_name: The message's type name.
    """

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name
        super().__init__(
            f"{type_name} has no cause in the stream: only an event that happens for reasons outside it may "
            "begin a conversation; publish it as what follows from another message"
        )


class CommandWithoutSenderError(OrderstreamError):
    """A command does not say where its reply goes, or says a service that acts on no such reply.

    Args:
        type_name: The command's type name.
        reply_to: The service that it names; None where it names none.
        correlation_id: Its sender's own identifier; None where it has none.
    """

    def __init__(self, type_name: str, reply_to: str | None, correlation_id: str | None) -> None:
        self.type_name = type_name
        self.reply_to = reply_to
        self.correlation_id = correlation_id
        super().__init__(
            f"the reply to {type_name} would reach nobody: replyto is {reply_to!r}, correlationid "
            f"{correlation_id!r}; send it with orderstream.messages.requesting, from a service that its "
            "replies name as consumer"
        )


class ReplyWithoutCommandError(OrderstreamError):
    """A reply answers no command, or not the one that it is said to answer.

    Args:
        type_name: The reply's type name.
        reason: What does not fit.
    """

    def __init__(self, type_name: str, reason: str) -> None:
        self.type_name = type_name
        self.reason = reason
        super().__init__(
            f"{type_name} is no reply to a command: {reason}; its owner sends it with "
            "orderstream.messages.replying, to a command that names it"
        )
