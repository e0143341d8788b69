"""What spans of messages are called and say, after OpenTelemetry's messaging conventions. Pure.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ (status: development). They have no
value of ``messaging.system`` for Kinesis; ours follows the name of its attributes, ``aws.kinesis``.
"""

from dataclasses import dataclass
from typing import Final, Literal

from orderstream.messages import REGISTRY, Envelope
from orderstream.observability.tracing.tracer import Value

KINESIS: Final = "aws.kinesis"
SQS: Final = "aws_sqs"

Operation = Literal["send", "process"]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where messages are sent to and processed from.

    Attributes:
        system: ``KINESIS`` or ``SQS``.
        name: The stream's or the queue's name.
    """

    system: str
    name: str

    def span_name(self, operation: Operation) -> str:
        """What a span is called, such as ``send orders``."""
        return f"{operation} {self.name}"

    def attributes(self, operation: Operation) -> dict[str, Value]:
        """What every span of an operation says."""
        return {
            "messaging.system": self.system,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": self.name,
        }


def about(envelope: Envelope) -> dict[str, Value]:
    """What a span says of one message: its ids, its type, and its subject under that subject's own name.

    ``orderstream.order_id``, say; ``orderstream.subject`` where the type is not known here.
    """
    kind = REGISTRY.type_of(envelope.type)
    return {
        "messaging.message.id": envelope.id,
        "messaging.message.conversation_id": envelope.conversation_id,
        "cloudevents.event_type": envelope.type,
        f"orderstream.{kind.subject_field if kind is not None else 'subject'}": envelope.subject,
    }
