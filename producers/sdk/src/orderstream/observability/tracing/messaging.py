"""What spans of messages are called, after OpenTelemetry's messaging conventions. Pure.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ (status: development). They have no
value of ``messaging.system`` for Kinesis; ours follows the name of its attributes, ``aws.kinesis``.
"""

from dataclasses import dataclass
from typing import Final, Literal

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
