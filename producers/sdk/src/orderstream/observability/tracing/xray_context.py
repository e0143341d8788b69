"""AWS X-Ray's trace context in W3C words and back: of the current segment, of a trace header, of an id. Pure.

The ids are the same ones in another spelling: X-Ray's ``1-5759e988-bd862e3fe1be46a994272793`` is the trace
id ``5759e988bd862e3fe1be46a994272793``.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

import re
from typing import Final

_ROOT: Final = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST: Final = 1_000
"""Characters of a header. X-Ray's own have 75 and some more of what others have put into them."""


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

    A load balancer that begins a trace names no parent. AWS Lambda has the header of the invocation in the
    environment variable ``_X_AMZN_TRACE_ID``, SQS in a message's system attribute ``AWSTraceHeader``.

    Args:
        header: ``Root=...;Parent=...;Sampled=1``, as in the HTTP header ``X-Amzn-Trace-Id``, in any order;
            other members are passed over.
    """
    if len(header) > _LONGEST:
        return None
    members = dict(member.strip().partition("=")[::2] for member in header.split(";"))
    root, parent = _ROOT.fullmatch(members.get("Root", "")), members.get("Parent", "")
    if not root or not _PARENT.fullmatch(parent):
        return None
    trace_id = root[1] + root[2]
    if not trace_id.strip("0") or not parent.strip("0"):
        return None  # W3C: ids of zeros are invalid; X-Ray's recorder gives them to what it does not record
    return f"00-{trace_id}-{parent}-{'01' if members.get('Sampled') == '1' else '00'}"


def xray_trace_id(trace_id: int) -> str:
    """Return a trace id as X-Ray spells it.

    Args:
        trace_id: The id, 1 to 2**128 - 1.
    """
    digits = f"{trace_id:032x}"
    return f"1-{digits[:8]}-{digits[8:]}"
