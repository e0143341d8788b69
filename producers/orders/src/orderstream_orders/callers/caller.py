"""A caller, its scopes, and the port of authentication."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from orderstream.messages.identity import PATTERN_OF_IDENTIFIERS

WRITE: Final = "orders:write"
"""The scope that places and cancels orders."""

READ: Final = "orders:read"
"""The scope that looks at them."""

OPERATE: Final = "orders:operate"
"""The scope of people who intervene by hand, with the operators' commands; no route asks for it."""

SCOPES: Final = frozenset({WRITE, READ, OPERATE})

MAX_CALLER: Final = 255
"""Most characters of a caller's name: those of a subject (OpenID Connect Core 1.0, section 2)."""

ANONYMOUS: Final = "anonymous"
"""The caller where there is no authentication. No token and no gateway can name it."""

CALLER_HEADER: Final = "X-Caller"
"""Names the caller behind a gateway, which alone may set it."""

_NAME: Final = re.compile(PATTERN_OF_IDENTIFIERS)

HeaderValues: TypeAlias = Callable[[str], Sequence[str]]
"""Every value of a request's header, by its name, whose case makes no difference."""

Kind = Literal["unauthenticated", "foreign_header", "unavailable"]
"""``unauthenticated``: the caller is not known.
``foreign_header``: the client sent what only a gateway may send.
``unavailable``: not to be judged now."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is.

    Attributes:
        name: Its name, 1 to 255 visible characters: the scope of its idempotency keys, the owner of its
            orders.
        scopes: What it may do.
    """

    name: str
    scopes: frozenset[str]

    @property
    def pseudonym(self) -> str:
        """What logs call it: 16 hexadecimal digits that follow from the name."""
        return pseudonym_of(self.name)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request has no caller.

    Attributes:
        kind: What the response says.
        reason: What the log says, in one word or a few; never a part of the request.
    """

    kind: Kind
    reason: str


class Authentication(Protocol):
    """Identifies the caller. It waits for nothing and does no I/O: it is called in the event loop."""

    @property
    def knows_callers(self) -> bool:
        """Whether callers are distinguished; where they are not, orders have no owner."""

    def identify(self, headers: HeaderValues) -> Caller | Refusal:
        """Who calls, by the headers of a request."""


def pseudonym_of(name: str) -> str:
    """What logs call a caller or an operator of this name."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def is_name(text: str) -> bool:
    """Whether a caller that is known can have this name."""
    return len(text) <= MAX_CALLER and text != ANONYMOUS and _NAME.match(text) is not None
