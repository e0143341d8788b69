"""The door of the API: who calls is known, may do what is asked, and does it no more often than allowed.

::

    request ── health, document ─────────────────────────────────────────────> routes
       └── who? ── unknown ─> 401, the same for every cause
             │      ├── said who it is by itself ──> 400
             │      └── no token can be judged now ──> 503
             └── allowed? ── no ──> 403
                   └── too often? ── yes ──> 429
                         └────────────────────────────────────────────────────> routes

It is in front of the router: a route that is added is guarded, and a path that is not served says so to
callers alone.
"""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orderstream_orders.api.responses import Problem, json_response
from orderstream_orders.callers import READ, WRITE, Authentication, Caller, Refusal
from orderstream_orders.callers.allowance import Allowances

logger = logging.getLogger(__name__)

OPEN_PATHS: Final = frozenset({"/health", "/health/live", "/health/ready", "/openapi.json"})
"""Paths without authentication: probes have no token, and the document describes how to get one."""

CHALLENGE: Final = 'Bearer realm="orders"'
"""What every 401 says (RFC 6750, section 3), without a word on what was wrong."""

_READING: Final = frozenset({"GET", "HEAD"})
_CALLER: Final = "orderstream.caller"
_RETRY_AFTER: Final = 1


def caller_of(request: Request) -> Caller:
    """Who makes a request that has passed the guard."""
    caller: Caller = request.scope[_CALLER]
    return caller


class CallerGuard:
    """An ASGI application before another one.

    Args:
        app: What is guarded.
        authentication: Identifies the caller.
        allowances: How often each caller may.
        monotonic: Seconds of a clock that never goes back.
        refused: Called with the code of each refused request.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authentication: Authentication,
        allowances: Allowances,
        monotonic: Callable[[], float],
        refused: Callable[[str], None],
    ) -> None:
        self._app = app
        self._authentication = authentication
        self._allowances = allowances
        self._monotonic = monotonic
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the module."""
        if scope["type"] == "http" and not (scope["method"] in _READING and scope["path"] in OPEN_PATHS):
            found = self._admitted(scope)
            if isinstance(found, Response):
                await found(scope, receive, send)
                return
            scope = {**scope, _CALLER: found}
        await self._app(scope, receive, send)

    def _admitted(self, scope: Scope) -> Caller | Response:
        found = self._authentication.identify(Headers(scope=scope).getlist)
        if isinstance(found, Refusal):
            logger.info("caller refused", extra={"kind": found.kind, "reason": found.reason})
            return self._refusal(found)
        wanted = READ if scope["method"] in _READING else WRITE
        if wanted not in found.scopes:
            logger.info("caller may not", extra={"caller": found.pseudonym, "scope": wanted})
            return self._turned_away(
                HTTPStatus.FORBIDDEN,
                Problem(code="insufficient_scope", message=f"the token does not grant the scope {wanted}"),
                {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{wanted}"'},
            )
        if wait := self._allowances.take(found.name, self._monotonic()):
            seconds = math.ceil(wait)
            logger.info("caller asks too often", extra={"caller": found.pseudonym})
            return self._turned_away(
                HTTPStatus.TOO_MANY_REQUESTS,
                Problem(
                    code="too_many_requests",
                    message=f"nothing was taken: you ask too often, ask again in {seconds} s",
                ),
                {"Retry-After": str(seconds)},
            )
        return found

    def _refusal(self, refusal: Refusal) -> Response:
        match refusal.kind:
            case "unauthenticated":
                return self._turned_away(
                    HTTPStatus.UNAUTHORIZED,
                    Problem(
                        code="unauthenticated", message="send a valid token: Authorization: Bearer TOKEN"
                    ),
                    {"WWW-Authenticate": CHALLENGE},
                )
            case "foreign_header":
                return self._turned_away(
                    HTTPStatus.BAD_REQUEST,
                    Problem(
                        code="malformed",
                        message="leave the header X-Caller out: your name is that of your token",
                        field="X-Caller",
                    ),
                    {},
                )
            case "unavailable":
                return self._turned_away(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    Problem(
                        code="unavailable",
                        message="nothing was taken: tokens cannot be verified now, ask again",
                    ),
                    {"Retry-After": str(_RETRY_AFTER)},
                )

    def _turned_away(self, status: HTTPStatus, problem: Problem, headers: dict[str, str]) -> Response:
        self._refused(problem.code)
        return json_response(status, problem, headers)
