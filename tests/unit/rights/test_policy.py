"""The evaluation of policies: AWS' rules for the part of the language that our templates use."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rights.policy import (
    Decision,
    Request,
    Statement,
    UnknownElementError,
    arn_matches,
    decide,
    matches,
)

TEXT = st.text("ab:/*?.[", max_size=8)
ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "sqs:SendMessage"])
RESOURCES = st.sampled_from(["arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:sqs:r:1:q"])
REQUESTS = st.builds(
    Request,
    ACTIONS,
    RESOURCES,
    st.dictionaries(st.sampled_from(["aws:securetransport", "k"]), st.sampled_from(["true", "false", "v"])),
)
STATEMENTS = st.builds(
    Statement,
    st.booleans(),
    st.tuples(st.one_of(ACTIONS, st.sampled_from(["*", "s3:*", "S3:getobject"]))),
    st.tuples(st.one_of(RESOURCES, st.sampled_from(["*", "arn:aws:s3:::*", "arn:aws:*:r:1:*"]))),
)
POLICIES = st.lists(STATEMENTS, max_size=5)


def naive(pattern: str, text: str) -> bool:
    """Pattern matching as one would define it."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and naive(pattern[1:], text[1:])


@given(TEXT, TEXT)
def test_patterns_are_matched_as_they_are_defined(pattern: str, text: str) -> None:
    """``*`` stands for any characters, ``?`` for one, and nothing else is special."""
    assert matches(pattern, text) == naive(pattern, text)


@given(POLICIES, REQUESTS)
def test_nothing_is_allowed_that_no_statement_allows(policy: list[Statement], request: Request) -> None:
    """Allowed is what an Allow matches and no Deny does; the order of statements means nothing."""
    applying = [statement for statement in policy if statement.applies(request)]
    allowed = bool(applying) and all(statement.allows for statement in applying)
    assert (decide(policy, request) is Decision.ALLOWED) == allowed
    assert decide(reversed(policy), request) is decide(policy, request)


@given(POLICIES, STATEMENTS, REQUESTS)
def test_a_statement_more_works_in_one_direction(
    policy: list[Statement], more: Statement, request: Request
) -> None:
    """An Allow more refuses nothing that was allowed, a Deny more allows nothing that was refused."""
    before, after = decide(policy, request), decide([*policy, more], request)
    if more.allows:
        assert (before, after) != (Decision.ALLOWED, Decision.NOT_ALLOWED)
        assert after is not Decision.DENIED or before is Decision.DENIED
    else:
        assert after is not Decision.ALLOWED or before is Decision.ALLOWED


@given(POLICIES, REQUESTS)
def test_a_deny_of_everything_leaves_nothing(policy: list[Statement], request: Request) -> None:
    """No Allow is stronger than a Deny."""
    assert decide([*policy, Statement(False, ("*",), ("*",))], request) is Decision.DENIED


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", "arn:aws:s3:::a", True),
        ("arn:aws:s3:::a", "arn:aws:s3:::a/b", False),
        ("arn:aws:s3:::a/*", "arn:aws:s3:::a/b:c/d", True),
        ("arn:aws:s3*a", "arn:aws:s3:::a", False),
        ("arn:aws:dynamodb:*:1:table/t", "arn:aws:dynamodb:r:1:table/t", True),
        ("arn:aws:dynamodb:*:table/t", "arn:aws:dynamodb:r:1:table/t", False),
        ("arn:aws:dynamodb:r:1:table/t", "arn:aws:dynamodb:r:1:table/t/index/i", False),
        ("arn:aws:sqs:r:1:letters", "arn:aws:sqs:r:1:Letters", False),
    ],
)
def test_an_arn_is_matched_part_by_part(pattern: str, arn: str, expected: bool) -> None:
    """No ``*`` reaches past a colon, and a table is not its indexes."""
    assert arn_matches(pattern, arn) is expected


def conditioned(block: dict[str, dict[str, object]], effect: str = "Allow") -> Statement:
    return Statement.of({"Effect": effect, "Action": "*", "Resource": "*", "Condition": block})


@pytest.mark.parametrize(
    ("block", "context", "expected"),
    [
        ({"StringEquals": {"kms:EncryptionContext:aws:kinesis:arn": "s"}}, {}, False),
        (
            {"StringEquals": {"kms:EncryptionContext:aws:kinesis:arn": "s"}},
            {"kms:encryptioncontext:aws:kinesis:arn": "s"},
            True,
        ),
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "a"}, "Bool": {"l": "true"}}, {"k": "a"}, False),
        ({"Null": {"s3:if-none-match": "true"}}, {}, True),
        ({"Null": {"s3:if-none-match": "true"}}, {"s3:if-none-match": "*"}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "false"}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, {"s3:tlsversion": "1.1"}, True),
        ({"StringLike": {"k": "a*"}}, {"k": "abc"}, True),
        ({"ArnLike": {"k": "arn:aws:sqs:*:1:q"}}, {"k": "arn:aws:sqs:r:1:q"}, True),
    ],
)
def test_all_conditions_have_to_hold(
    block: dict[str, dict[str, object]],
    context: dict[str, str],
    expected: bool,
) -> None:
    """One value of each key, every key, every operator; a key that is not there meets only ``Null``."""
    assert conditioned(block).applies(Request("s3:PutObject", "arn:aws:s3:::a/b", context)) is expected


@pytest.mark.parametrize(
    "document",
    [
        {"NotAction": "s3:*", "Resource": "*"},
        {"Action": "*", "NotResource": "*"},
        {"Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"k": "v"}}},
    ],
)
def test_what_is_not_evaluated_is_refused(document: dict[str, object]) -> None:
    """An element that is passed over could allow too much."""
    with pytest.raises(UnknownElementError, match=re.compile("NotAction|NotResource|IpAddress|IfExists")):
        Statement.of({"Effect": "Allow", **document})
