"""What every message has in common, and their three kinds: events, commands, and replies to commands."""

from typing import ClassVar, Literal

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all messages. Unknown fields are ignored on decoding: schemas only grow."""

    kind: ClassVar[Literal["event", "command", "reply"]]
    owner: ClassVar[str]
    """The service that publishes the event or the reply, or that carries the command out."""
    consumers: ClassVar[tuple[str, ...]]
    """The services that act on it; the archiver and order status take every message and are not named."""
    schema_version: ClassVar[int] = 1
    subject_field: ClassVar[str]
    """The field that says what the message is about."""

    @property
    def subject(self) -> str:
        """What it is about; subject of the envelope and partition key of the record."""
        return str(getattr(self, self.subject_field))

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents ``type``: the name of an event or a reply, or a command's behind its service's."""
        return f"{cls.owner}.{cls.__name__}" if cls.kind == "command" else cls.__name__

    @classmethod
    def schema_uri(cls) -> str:
        """The CloudEvents ``dataschema``: names the type and the version of its data."""
        return f"urn:orderstream:schema:{cls.type_name()}:{cls.schema_version}"


class Event(Message, frozen=True, kw_only=True):
    """Something that happened, and that is no reply. Only its owner publishes it."""

    kind: ClassVar[Literal["event", "command", "reply"]] = "event"
    outside: ClassVar[bool] = True
    """Whether it happens for reasons outside the stream: a request, a decision, a time that has come. Only
    such an event may have no cause in the stream, and begin a conversation."""


class Reply(Message, frozen=True, kw_only=True):
    """With it a command's owner reports success or an expected error; never without the command."""

    kind: ClassVar[Literal["event", "command", "reply"]] = "reply"


class Command(Message, frozen=True, kw_only=True):
    """Something that one service is asked to do. Its owner sends one of the replies that it names."""

    kind: ClassVar[Literal["event", "command", "reply"]] = "command"
    success: ClassVar[tuple[type[Reply], ...]]
    """The replies that say that it was carried out."""
    refusals: ClassVar[tuple[type[Reply], ...]] = ()
    """The replies that say why it was not: the expected errors."""

    @classmethod
    def replies(cls) -> tuple[type[Reply], ...]:
        """Every reply that it can have."""
        return (*cls.success, *cls.refusals)
