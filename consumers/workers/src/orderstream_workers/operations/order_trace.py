"""The spans of one order, asked of the collector that keeps them: the local environment's does."""

from typing import Final

import httpx
import msgspec

from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.runtime.settings import Settings

ORDER_ID: Final = "orderstream.order_id"
"""The attribute by which spans of an order are found."""

_PATIENCE: Final = 10.0


class StoredSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span as a collector keeps it.

    Attributes:
        trace_id: The trace, 32 hexadecimal digits.
        span_id: The span, 16 hexadecimal digits.
        parent: Id of the span that caused it; "" for the root of a trace.
        name: Such as ``send orders``.
        kind: ``server``, ``client``, ``producer``, ``consumer`` or ``internal``.
        service: The process.
        begin: Nanoseconds since the epoch.
        end: The same.
        failed: Whether the work failed.
        attributes: What it says.
        links: Trace and span of what else it follows from.
    """

    trace_id: str
    span_id: str
    parent: str
    name: str
    kind: str
    service: str
    begin: int
    end: int
    failed: bool = False
    attributes: dict[str, str | bool | int | float] = {}
    links: tuple[tuple[str, str], ...] = ()


_SPANS: Final = msgspec.json.Decoder(list[StoredSpan])


def spans_of(settings: Settings, order_id: str, http: httpx.Client) -> list[StoredSpan]:
    """The spans of the traces that an order is in, and those of other traces that link to them.

    Args:
        settings: Name the collector.
        order_id: The order.
        http: Asks.

    Raises:
        NotDoneError: nothing is traced, nothing is known of the order, or the collector cannot be asked.
    """
    if settings.tracing == "none":
        raise NotDoneError(
            "nothing is traced; set ORDERSTREAM_TRACING=otlp for the processes, and for this command"
        )
    url = settings.otlp_url.rstrip("/")
    try:
        response = http.get(f"{url}/v1/traces", params={"order_id": order_id}, timeout=_PATIENCE)
        response.raise_for_status()
        spans = _SPANS.decode(response.content)
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        raise NotDoneError(
            f"the collector at {url} tells no spans ({type(error).__name__}); only that of the local "
            f"environment does; in another one, search for {ORDER_ID}={order_id}"
        ) from error
    if not spans:
        raise NotDoneError(
            f"no span of order {order_id} is stored; there is no such order, it was not sampled, or its "
            "spans are still on their way: they come every two seconds"
        )
    return spans
