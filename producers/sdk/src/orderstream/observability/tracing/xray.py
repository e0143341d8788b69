"""AWS X-Ray's trace context in W3C words: of the current segment, and of a trace header."""

import re

_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT = re.compile(r"Parent=([0-9a-f]{16})")


def xray_traceparent() -> str | None:
    """Return the current AWS X-Ray segment or subsegment as ``traceparent``; None outside of any.

    It needs ``aws_xray_sdk`` to be installed and its recorder to be in use. Outside of a segment the recorder
    logs an error unless it is configured with ``context_missing="IGNORE_ERROR"``.
    """
    from aws_xray_sdk.core import xray_recorder  # noqa: PLC0415 - the application's own
    from aws_xray_sdk.core.exceptions.exceptions import SegmentNotFoundException  # noqa: PLC0415

    try:
        entity = xray_recorder.get_trace_entity()
    except SegmentNotFoundException:
        return None
    if entity is None:
        return None
    return traceparent_from_xray(
        f"Root={entity.trace_id};Parent={entity.id};Sampled={int(bool(entity.sampled))}"
    )


def traceparent_from_xray(header: str) -> str | None:
    """Return what an X-Ray trace header says as ``traceparent``; None if it names no trace or parent.

    The ids are the same ones: X-Ray's ``Root=1-5759e988-bd862e3fe1be46a994272793`` is the trace id
    ``5759e988bd862e3fe1be46a994272793`` ("Tracing header" in the X-Ray developer guide). AWS Lambda has the
    header of the invocation in the environment variable ``_X_AMZN_TRACE_ID``.

    Args:
        header: ``Root=...;Parent=...;Sampled=1``, as in the HTTP header ``X-Amzn-Trace-Id``.
    """
    root, parent = _XRAY.search(header), _PARENT.search(header)
    if not root or not parent:
        return None
    trace_id, parent_id = root[1] + root[2], parent[1]
    if not trace_id.strip("0") or not parent_id.strip("0"):
        return None  # W3C: ids of zeros are invalid; X-Ray's recorder gives them to what it does not record
    return f"00-{trace_id}-{parent_id}-{'01' if 'Sampled=1' in header else '00'}"
