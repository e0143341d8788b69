"""An export request of OTLP as spans to keep. Pure.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-request: HTTP with protobuf.
"""

from collections.abc import Iterable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from orderstream_workers.operations.order_trace import StoredSpan


def read_export(body: bytes) -> list[StoredSpan]:
    """The spans of a request.

    Raises:
        ValueError: it is none.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except Exception as error:  # protobuf's own error, whose package says nothing of its types
        raise ValueError("the body is no export of spans") from error
    return [
        _kept(str(_values(resource.resource.attributes).get("service.name", "unknown")), span)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _kept(service: str, span: Span) -> StoredSpan:
    return StoredSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        service=service,
        begin=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def _values(attributes: Iterable[KeyValue]) -> dict[str, str | bool | int | float]:
    """Attributes with one value; lists and maps are passed over, as nothing here has any."""
    values: dict[str, str | bool | int | float] = {}
    for attribute in attributes:
        value = attribute.value
        match value.WhichOneof("value"):
            case "string_value":
                values[attribute.key] = value.string_value
            case "bool_value":
                values[attribute.key] = value.bool_value
            case "int_value":
                values[attribute.key] = value.int_value
            case "double_value":
                values[attribute.key] = value.double_value
    return values
