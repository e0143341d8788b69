"""An order's messages as server-sent events, from where the client left off until the order has ended.

https://html.spec.whatwg.org/multipage/server-sent-events.html. Each message is an event whose id is the
message's; a client that was cut off sends the last id again, in ``Last-Event-ID``, and misses nothing. ::

    ──asked──> 204 where the order has ended and nothing follows ``Last-Event-ID``: do not ask again
        └────> event by event ──ended──> `ended`, and the end of the response
                    └──time is up, or the process stops──> the end of the response: the client asks again
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final, TypeGuard

import msgspec
from starlette.requests import Request

from orderstream_workers.projections.order_status.http.following import MOST_SECONDS, Followers
from orderstream_workers.projections.order_status.http.shown import shown_message, shown_order
from orderstream_workers.projections.order_status.read_model import OrderPage

MEDIA_TYPE: Final = "text/event-stream"

_RETRY_MILLISECONDS: Final = 1_000
_ENDED: Final = "ended"
"""The type of the last event; messages have their own names, which begin with a capital letter."""


def is_over(page: OrderPage | None) -> TypeGuard[OrderPage]:
    """Whether the order has been read, and has ended."""
    return page is not None and page.order.state != "PLACED"


async def events(
    request: Request,
    followers: Followers,
    ask: Callable[[str | None], Awaitable[OrderPage | None]],
    first: OrderPage | None,
    after: str | None,
) -> AsyncIterator[bytes]:
    """The body of the response.

    Args:
        request: Whose response it is.
        followers: Wait for more.
        ask: Gives the page behind a message; None while the order has not been read.
        first: The page behind ``after``, which has been asked for already.
        after: Id of the last message that the client has.
    """
    yield b"retry: %d\n\n" % _RETRY_MILLISECONDS
    page, left = first, float(MOST_SECONDS)
    while True:
        if page is not None:
            for entry in page.order.history:
                after = entry.event_id
                yield _event(entry.type, shown_message(entry), after)
            if page.next is not None:
                page = await ask(after)
                continue
            if is_over(page):
                yield _event(_ENDED, shown_order(page), after)
                return
        began = followers.now()
        page = await followers.news(request, left, partial(ask, after), _has_news, known=None)
        left -= followers.now() - began
        if not _has_news(page):
            return


def _has_news(page: OrderPage | None) -> bool:
    return is_over(page) or (page is not None and bool(page.order.history))


def _event(kind: str, data: msgspec.Struct, event_id: str | None) -> bytes:
    lines = [f"event: {kind}".encode()] + ([] if event_id is None else [f"id: {event_id}".encode()])
    # JSON of msgspec has no line end outside of its strings, and an escaped one inside.
    return b"\n".join([*lines, b"data: " + msgspec.json.encode(data), b"", b""])
