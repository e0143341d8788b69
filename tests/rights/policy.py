"""What a policy allows: IAM's decision, for the part of its language that our templates use.

::

    any statement with Deny matches   ->  DENIED
    else one with Allow matches       ->  ALLOWED
    else                              ->  NOT_ALLOWED

Pure. An element or an operator that is not known here is an error: to pass over it could allow too much.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Any

_KNOWN = frozenset({"Sid", "Effect", "Action", "Resource", "Condition", "Principal"})
_SEGMENTS = 6
"""Parts of an ARN. The last holds whatever follows the fifth colon."""


class Decision(StrEnum):
    """What comes of a request."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "no identity-based policy allows"
    DENIED = "an explicit deny in"


class UnknownElementError(ValueError):
    """A policy says something that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Request:
    """What IAM is asked for.

    Attributes:
        action: With its service, such as ``dynamodb:PutItem``.
        resource: An ARN, or ``*`` where the action knows none.
        context: The condition keys that the request brings, in lower case.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a condition block.

    Attributes:
        operator: Such as ``StringEquals``.
        key: In lower case: IAM does not tell case in keys.
        values: One of them has to match.
    """

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, str]) -> bool:
        """Whether a request's context meets it."""
        found = context.get(self.key)
        if self.operator == "Null":
            return ("true" if found is None else "false") in self.values
        wanted = _OPERATORS[self.operator]
        return found is not None and any(wanted(value, found) for value in self.values)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    Attributes:
        allows: False for a Deny.
        actions: Patterns.
        resources: Patterns of ARNs.
        conditions: All of them have to hold.
    """

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Statement":
        """Read a statement as it stands in a policy document.

        Raises:
            UnknownElementError: it says something that is not evaluated here.
        """
        if unknown := sorted(document.keys() - _KNOWN):
            raise UnknownElementError(f"{unknown[0]} is not evaluated here")
        blocks = document.get("Condition", {})
        if unknown := sorted(blocks.keys() - _OPERATORS.keys() - {"Null"}):
            raise UnknownElementError(f"the operator {unknown[0]} is not evaluated here")
        return cls(
            allows={"Allow": True, "Deny": False}[document["Effect"]],
            actions=_listed(document["Action"]),
            resources=_listed(document["Resource"]),
            conditions=tuple(
                Condition(operator, key.lower(), _listed(values))
                for operator, block in blocks.items()
                for key, values in block.items()
            ),
        )

    def without(self, action: str, resource: str) -> "tuple[Statement, ...]":
        """The same without an action, that it names, on one resource that it names."""
        if action not in self.actions or resource not in self.resources:
            return (self,)
        others = tuple(one for one in self.resources if one != resource)
        kept = tuple(one for one in self.actions if one != action)
        return (replace(self, resources=others), replace(self, actions=kept, resources=(resource,)))

    def applies(self, request: Request) -> bool:
        """Whether it says anything about a request."""
        return (
            any(matches(one.lower(), request.action.lower()) for one in self.actions)
            and any(arn_matches(one, request.resource) for one in self.resources)
            and all(condition.holds(request.context) for condition in self.conditions)
        )


Policy = Sequence[Statement]
"""Everything that a role is given."""


def decide(policy: Iterable[Statement], request: Request) -> Decision:
    """What comes of a request.

    Args:
        policy: All statements that concern the caller and the resource.
        request: What is asked for.
    """
    effects = {statement.allows for statement in policy if statement.applies(request)}
    if False in effects:
        return Decision.DENIED
    return Decision.ALLOWED if True in effects else Decision.NOT_ALLOWED


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether an ARN matches a pattern: ``*`` alone matches anything, else no ``*`` reaches past a colon.

    Behind the fifth colon there are no parts any more, so there it does.
    """
    if pattern == "*":
        return True
    wanted, found = (text.split(":", _SEGMENTS - 1) for text in (pattern, arn))
    return len(wanted) == len(found) and all(map(matches, wanted, found))


def matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern of ``*`` (any characters) and ``?`` (one)."""
    return _compiled(pattern).fullmatch(text) is not None


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": matches,
    "ArnLike": arn_matches,
    "ArnEquals": arn_matches,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "NumericLessThan": lambda wanted, found: float(found) < float(wanted),
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    words = {"*": ".*", "?": "."}
    return re.compile("".join(words.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def _listed(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(each if isinstance(each, str) else str(each) for each in values)
