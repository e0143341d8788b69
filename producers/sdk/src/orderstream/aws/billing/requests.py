"""What AWS bills for one request: the units of each table, queue, bucket or stream that it uses."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orderstream.aws.billing.dynamodb import BILLED_ERRORS, table_reads, table_writes
from orderstream.aws.billing.units import Used, put_units, sqs_requests

_S3_FREE: Final = frozenset({"DeleteObject", "DeleteObjects", "AbortMultipartUpload"})
_S3_READS: Final = frozenset({"GetObject", "HeadObject", "HeadBucket"})
_NOTHING: Final[Mapping[str, Any]] = {}


def billed(
    service: str, operation: str, request: Mapping[str, Any], response: Mapping[str, Any] = _NOTHING
) -> Iterator[Used]:
    """Yield what is billed for a request; nothing for one that is free.

    Args:
        service: Its name in botocore, such as ``"dynamodb"``.
        operation: Such as ``"PutItem"``.
        request: The parameters, as botocore's clients take them.
        response: What came back, as they return it; needed for what is billed by what was found.
    """
    error = response.get("Error", _NOTHING).get("Code")
    if error is not None and error not in BILLED_ERRORS:
        return
    match service:
        case "dynamodb":
            yield from table_writes(operation, request)
            yield from table_reads(operation, request, response)
        case "kinesis" if operation in {"PutRecord", "PutRecords"}:
            records = request.get("Records", (request,))
            yield Used("kinesis_put", "", sum(put_units(len(record["Data"])) for record in records))
        case "sqs":
            yield Used("sqs_request", "", sqs_requests(_sqs_bytes(request, response)))
        case "sns" if operation == "Publish":
            yield Used("sns_publish", "", sqs_requests(len(request["Message"].encode())))
        case "ses" if operation in {"SendEmail", "SendRawEmail"}:
            yield Used("ses_mail", "", _recipients(request))
        case "s3" if operation not in _S3_FREE:
            yield Used("s3_get" if operation in _S3_READS else "s3_put", "", 1.0)


def _sqs_bytes(request: Mapping[str, Any], response: Mapping[str, Any]) -> int:
    """The payload: bodies and attributes of what is sent, or of what was received."""
    sent = request.get("Entries", (request,))
    return sum(_message_bytes(each) for each in (*sent, *response.get("Messages", ())))


def _message_bytes(message: Mapping[str, Any]) -> int:
    body = message.get("MessageBody", message.get("Body", ""))
    attributes = message.get("MessageAttributes", {})
    return len(body.encode()) + sum(
        len(name.encode()) + len(str(value.get("StringValue", "")).encode())
        for name, value in attributes.items()
    )


def _recipients(request: Mapping[str, Any]) -> float:
    """Each recipient is a message."""
    named = request.get("Destination", {}).values() or [request.get("Destinations", ())]
    return float(max(1, sum(map(len, named))))
