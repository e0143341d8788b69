"""What every message has in common: its type, its owner, its schema version."""

from typing import ClassVar, Literal

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all events and commands. Unknown fields are ignored on decoding: schemas only grow."""

    kind: ClassVar[Literal["event", "command"]]
    owner: ClassVar[str]
    """The service that publishes the event, or that carries the command out."""
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
        """The CloudEvents ``type``: an event's name, or a command's name behind its service's."""
        return cls.__name__ if cls.kind == "event" else f"{cls.owner}.{cls.__name__}"

    @classmethod
    def schema_uri(cls) -> str:
        """The CloudEvents ``dataschema``: names the type and the version of its data."""
        return f"urn:orderstream:schema:{cls.type_name()}:{cls.schema_version}"
