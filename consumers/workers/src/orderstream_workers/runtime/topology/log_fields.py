"""What a line of the log may say: every field, declared once. Schema and guide are made of this.

A new field of a log line is a row here; what no row declares is text below ``attributes``.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

VERSION: Final = 1
"""Of the schema. It changes when a field is renamed, removed or gets another type."""

MAX_BYTES: Final = 16_000
"""Bytes of a line at most: the log drivers of containers cut a line at 16 KiB, and half a line is no JSON."""

MAX_ITEMS: Final = 50
"""Items of a list, members of an object."""

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

Kind = Literal["text", "whole", "number", "flag", "texts", "counts"]
"""``texts`` is a list of them; ``counts`` has whole numbers by name."""


@dataclass(frozen=True, slots=True)
class LogField:
    """A field of log lines.

    Attributes:
        name: What it is called; ``error.type`` is the member ``type`` of the object ``error``.
        kind: What its values are.
        meaning: For a person.
        longest: Characters of a text at most; what is longer is cut.
        form: Regular expression of a text, where it has a fixed form.
    """

    name: str
    kind: Kind
    meaning: str
    longest: int = 200
    form: str = ""

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        return {"description": self.meaning} | self._type

    @property
    def _type(self) -> dict[str, Any]:
        match self.kind:
            case "text":
                text = {"type": "string", "maxLength": self.longest}
                return text | ({"pattern": f"^{self.form}$"} if self.form else {})
            case "whole":
                return {"type": "integer"}
            case "number":
                return {"type": "number"}
            case "flag":
                return {"type": "boolean"}
            case "texts":
                item = {"type": "string", "maxLength": self.longest}
                return {"type": "array", "items": item, "maxItems": MAX_ITEMS}
            case "counts":
                counts = {"type": "object", "additionalProperties": {"type": "integer"}}
                return counts | {"maxProperties": MAX_ITEMS}


REQUIRED: Final = (
    LogField(
        "timestamp",
        "text",
        "When (UTC), to the microsecond; it sorts as text.",
        form=r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}\+00:00",
    ),
    LogField("level", "text", "DEBUG, INFO, WARNING, ERROR or CRITICAL."),
    LogField("logger", "text", "The module that logs."),
    LogField(
        "message",
        "text",
        "What happened, in fixed words; figures are in other fields.",
        2_000,
    ),
    LogField(
        "application",
        "text",
        "The process, by the same name as in the metrics: one of the applications, `api`, `payment-worker`, "
        "or `all` for what no single application of `worker --all` does.",
    ),
)
"""What every line has."""

ERROR: Final = (
    LogField("error.type", "text", "Class of the error; missing where another program reports it."),
    LogField("error.message", "text", "What it says.", 1_000),
    LogField(
        "error.stack", "text", "Its traceback, of a defect; the middle of a long one is cut out.", 6_000
    ),
    LogField("error.retryable", "flag", "Whether the same may work later by itself."),
    LogField("error.dependency", "text", "What failed, such as `dynamodb`."),
    LogField("error.operation", "text", "What was asked of it."),
    LogField("error.code", "text", "The service's own error code."),
    LogField("error.resource", "text", "What was asked about, such as a table."),
    LogField("error.region", "text", "AWS region."),
    LogField("error.endpoint", "text", "URL that was called."),
    LogField("error.application", "text", "Application that it is about."),
    LogField("error.order_id", "text", "Order that it is about."),
)
"""The members of ``error``: what an error of ours carries and is no free text."""

ABOUT: Final = (
    LogField("order_id", "text", "Order."),
    LogField("conversation_id", "text", "All messages of one order."),
    LogField("event_id", "text", "Message."),
    LogField("event_type", "text", "Type of the message, event or command."),
    LogField("subject", "text", "What a message of an unknown type is about."),
    LogField("sku", "text", "Product."),
    LogField("trace_id", "text", "Trace; where tracing is on.", form="[0-9a-f]{32}"),
    LogField("span_id", "text", "Span that the work belongs to.", form="[0-9a-f]{16}"),
    LogField("shard_id", "text", "Shard."),
    LogField("sequence_number", "text", "Position of the Kinesis record in the shard."),
    LogField("subsequence_number", "whole", "Position of the record in it."),
    LogField("partition_key", "text", "Key by which records are in order."),
    LogField("worker_id", "text", "Owner of leases."),
    LogField("duration_seconds", "number", "How long it took."),
    LogField("waited_seconds", "number", "From a record's arrival in the stream to its processing."),
    LogField("delay_seconds", "whole", "Until it is tried again."),
    LogField("records", "whole", "Records of a batch."),
    LogField("reason", "text", "Why.", 1_000),
    LogField("outcome", "text", "How an order ended: `confirmed` or `cancelled`."),
)
"""What a line is about."""

DETAILS: Final = (
    LogField("after", "text", "State, or version, afterwards."),
    LogField("arn", "text", "ARN of a stream."),
    LogField("arrived", "text", "When a message arrived (UTC)."),
    LogField("attempt", "whole", "Which request of a step, counted from 1."),
    LogField("auth", "text", "How callers are authenticated."),
    LogField("before", "text", "State, or version, that was."),
    LogField("caller", "text", "Pseudonym of a caller of the API."),
    LogField("checkpoint", "text", "Position of a checkpoint."),
    LogField("code", "text", "Code of a rejection, or of a service's error."),
    LogField("command", "text", "What the engine asked of a shard's processor."),
    LogField("counters", "counts", "What a process has counted in its life."),
    LogField("created_at", "text", "When a stream was created."),
    LogField("daemon", "text", "Address of AWS X-Ray's daemon."),
    LogField("dependency", "text", "What a process depends on."),
    LogField("drained", "flag", "Whether all work was done at the end."),
    LogField("ending_hash_key", "text", "End of a range of hash keys."),
    LogField("exporter", "text", "What exports metrics."),
    LogField("failures", "whole", "Calls, or parts of calls, that have failed since it began."),
    LogField("field", "text", "Field of a request that is at fault."),
    LogField("failing_shards", "whole", "Shards that a trouble concerns; 0 where calls fail as a whole."),
    LogField("first", "text", "Sequence number of the first record of a batch."),
    LogField("first_left", "text", "First position that the retention has left."),
    LogField("former_owner", "text", "Who held a lease before."),
    LogField("found", "text", "Engine that an application runs on."),
    LogField("found_worker", "text", "Worker that owns it."),
    LogField("from", "text", "State or position before."),
    LogField("gap", "text", "Whether records of the archive are, or may be, missing."),
    LogField("hash_key", "text", "Hash of a partition key."),
    LogField("host", "text", "Address that is listened on."),
    LogField("kcl_logger", "text", "Logger of KCL's own."),
    LogField("key", "text", "Key of an object in the archive."),
    LogField("key_ids", "texts", "Keys that tokens may be signed by."),
    LogField("kind", "text", "Kind of a refusal."),
    LogField("landed", "text", "Shard that a record is in."),
    LogField("last", "text", "Sequence number of the last record of a batch."),
    LogField("limit", "text", "Name of a rate limit."),
    LogField("line", "whole", "Line of an order that is at fault."),
    LogField("meant", "text", "Setting that is probably meant."),
    LogField("messages", "whole", "Messages of a queue."),
    LogField("open_shards", "whole", "Shards that take records."),
    LogField("operation", "text", "Operation of AWS' API."),
    LogField("phase", "text", "Phase of a reservation."),
    LogField("port", "whole", "Port that is listened on."),
    LogField("predicted", "text", "Shard that a record was meant for."),
    LogField("printed", "text", "What KCL's daemon printed beside its log.", 1_000),
    LogField("problem", "text", "What is missing in the metrics."),
    LogField("record_id", "text", "Record in its stream."),
    LogField("request", "text", "Request of a shard's reader, or of the saga."),
    LogField("requests", "texts", "Requests that are made again."),
    LogField("scope", "text", "Scope that a caller lacks."),
    LogField("shards", "texts", "Shards."),
    LogField("starting_hash_key", "text", "Begin of a range of hash keys."),
    LogField("status", "whole", "HTTP status."),
    LogField("step", "text", "Step of an order, such as `capture_payment`."),
    LogField("stream", "text", "Stream."),
    LogField("to", "text", "State or position afterwards."),
    LogField("url", "text", "Where spans are passed on to."),
    LogField("username", "text", "The pipeline's own user of the read model's database."),
    LogField("variable", "text", "Environment variable."),
    LogField("wanted", "text", "Engine that a worker is to run on."),
)
"""What single lines say besides."""

FIELDS: Final = {field.name: field for field in (*REQUIRED, *ABOUT, *DETAILS)}
"""All that are no member of ``error``, by name."""

ERROR_FIELDS: Final = {field.name.removeprefix("error."): field for field in ERROR}
"""The members of ``error``, by name."""


def schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    properties = {name: field.schema for name, field in FIELDS.items()}
    properties["level"] = {"description": FIELDS["level"].meaning, "enum": list(LEVELS)}
    properties["error"] = {
        "description": "What went wrong.",
        "type": "object",
        "properties": {name: field.schema for name, field in ERROR_FIELDS.items()},
        "required": ["message"],
        "additionalProperties": False,
    }
    properties["attributes"] = {
        "description": "What libraries that are not ours say besides.",
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": FIELDS["reason"].longest},
        "maxProperties": MAX_ITEMS,
    }
    properties["cut"] = {
        "description": "Present where a line was too long: the rest is missing.",
        "const": True,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://orderstream.example/log-schema.{VERSION}.json",
        "title": "A line of the log of any of Orderstream's processes",
        "type": "object",
        "properties": properties,
        "required": [field.name for field in REQUIRED],
        "additionalProperties": False,
    }
