"""When the issuer is asked for its keys, and how long they are good."""

from itertools import pairwise
from typing import Final

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fakes.callers import NOW, POLICY, claims, key_set, signing_key
from orderstream.errors import DependencyError
from orderstream_orders.callers import Refusal
from orderstream_orders.callers.bearer import BearerCallers
from orderstream_orders.callers.key_store import (
    AT_MOST_EVERY,
    GRACE,
    REFRESH_EVERY,
    TRUSTED_FOR,
    IssuerKeys,
)

FIRST, SECOND = signing_key("ES256", "first"), signing_key("ES256", "second")


class Issuer:
    def __init__(self) -> None:
        self.now = 1_000.0
        self.document: bytes | None = key_set(FIRST)
        self.asked: list[float] = []
        self.keys = IssuerKeys(self.fetch, lambda: self.now)

    def fetch(self) -> bytes:
        self.asked.append(self.now)
        if self.document is None:
            raise DependencyError("issuer", "the key set", "it is away")
        return self.document

    def after(self, seconds: float) -> set[str]:
        """The ids of the keys that are good then."""
        self.now += seconds
        self.keys.refresh_if_due()
        return set(self.keys.good())


def test_keys_are_refreshed_every_five_minutes() -> None:
    """Asked at the start, then no sooner, though somebody looks all the time."""
    issuer = Issuer()
    for _ in range(1_000):
        issuer.after(1.0)
    assert issuer.asked == [1_001.0 + REFRESH_EVERY * number for number in range(4)]


def test_a_thousand_unknown_keys_a_second_ask_the_issuer_once_a_minute() -> None:
    """Tokens with made-up keys cannot make us a load on the issuer."""
    issuer = Issuer()
    issuer.after(0)
    callers = BearerCallers(issuer.keys, POLICY, lambda: NOW)
    token = signing_key("ES256", "made up").sign(claims())
    for _ in range(180):
        for _ in range(1_000):
            refusal = callers.identify(lambda name: [f"Bearer {token}"] if name == "Authorization" else [])
            assert isinstance(refusal, Refusal)
        issuer.after(1.0)
    assert [late - early for early, late in pairwise(issuer.asked)] == [60.0] * 3


def test_a_new_key_is_good_within_a_minute_of_its_first_token() -> None:
    """A token that names it makes the next question come sooner."""
    issuer = Issuer()
    assert issuer.after(0) == {"first"}
    issuer.document = key_set(FIRST, SECOND)
    issuer.keys.want()
    assert issuer.after(AT_MOST_EVERY - 1) == {"first"}
    assert issuer.after(1) == {"first", "second"}


def test_a_key_that_was_taken_back_is_good_for_its_grace_and_no_longer() -> None:
    """Tokens that it signed just before are not refused at once; they are ten minutes later."""
    issuer = Issuer()
    issuer.after(0)
    issuer.document = key_set(SECOND)
    assert issuer.after(REFRESH_EVERY) == {"first", "second"}
    assert issuer.after(GRACE - 1) == {"first", "second"}
    assert issuer.after(1) == {"second"}


def test_a_key_that_comes_back_is_a_key_like_any_other() -> None:
    """Its grace does not run on."""
    issuer = Issuer()
    issuer.after(0)
    issuer.document = key_set(SECOND)
    issuer.after(REFRESH_EVERY)
    issuer.document = key_set(FIRST, SECOND)
    issuer.after(REFRESH_EVERY)
    assert issuer.after(GRACE) == {"first", "second"}


@pytest.mark.parametrize("document", [None, b"<html>busy</html>", b'{"keys": []}'])
def test_keys_outlast_an_issuer_that_does_not_answer_for_a_day_and_no_longer(document: bytes | None) -> None:
    """It is asked once a minute meanwhile; what nobody has confirmed for a day is trusted no more."""
    issuer = Issuer()
    issuer.after(0)
    issuer.document = document
    for _ in range(int(TRUSTED_FOR / AT_MOST_EVERY) - 1):
        assert issuer.after(AT_MOST_EVERY) == {"first"}
    assert issuer.after(AT_MOST_EVERY) == set()
    with pytest.raises(DependencyError):
        issuer.keys.ask()
    assert all(late - early >= AT_MOST_EVERY for early, late in pairwise(issuer.asked))


def test_without_any_keys_a_token_cannot_be_judged() -> None:
    """That is an outage, and no fault of the caller's; once the issuer answers, all is well."""
    issuer = Issuer()
    issuer.document = None
    callers = BearerCallers(issuer.keys, POLICY, lambda: NOW)

    def ask(name: str) -> list[str]:
        return [f"Bearer {FIRST.sign(claims())}"] if name == "Authorization" else []

    assert issuer.after(0) == set()
    assert callers.identify(ask) == Refusal("unavailable", "no keys")
    with pytest.raises(DependencyError, match="it is away"):
        issuer.keys.ask()
    issuer.document = key_set(FIRST)
    assert issuer.after(AT_MOST_EVERY) == {"first"}
    assert not isinstance(callers.identify(ask), Refusal)
    issuer.keys.ask()


KEYS: Final = {name: signing_key("ES256", name) for name in ("a", "b", "c")}


class KeysOverTime(RuleBasedStateMachine):
    """An issuer that changes, withholds and breaks its set, and somebody who presents unknown keys."""

    def __init__(self) -> None:
        super().__init__()
        self.issuer = Issuer()
        self.names: set[str] | None = {"first"}
        self.sets: list[tuple[float, set[str]]] = []

    @rule(names=st.sets(st.sampled_from(sorted(KEYS)), min_size=1))
    def publish(self, names: set[str]) -> None:
        self.names = names
        self.issuer.document = key_set(*(KEYS[name] for name in sorted(names)))

    @rule(document=st.sampled_from([None, b"", b"{}"]))
    def fail(self, document: bytes | None) -> None:
        self.names = None
        self.issuer.document = document

    @rule(times=st.integers(1, 50))
    def present_unknown_keys(self, times: int) -> None:
        for _ in range(times):
            self.issuer.keys.want()

    @rule(seconds=st.sampled_from([0.0, 0.5, 30.0, 59.0, 60.0, 61.0, 299.0, 301.0, 599.0, 601.0, 86_400.0]))
    def time_passes(self, seconds: float) -> None:
        before = len(self.issuer.asked)
        self.issuer.after(seconds)
        if len(self.issuer.asked) > before and self.names is not None:
            self.sets.append((self.issuer.now, self.names))

    @invariant()
    def the_issuer_is_asked_once_a_minute_at_most(self) -> None:
        asked = self.issuer.asked
        assert all(late - early >= AT_MOST_EVERY for early, late in pairwise(asked))

    @invariant()
    def good_are_the_keys_of_the_newest_set_and_those_in_their_grace(self) -> None:
        now, expected = self.issuer.now, set()
        for kid in ("first", *KEYS):
            inside = [number for number, (_, names) in enumerate(self.sets) if kid in names]
            following = self.sets[inside[-1] + 1 :] if inside else []
            if inside and (not following or now - following[0][0] < GRACE):
                expected.add(kid)
        if not self.sets or now - self.sets[-1][0] >= TRUSTED_FOR:
            expected = set()
        assert set(self.issuer.keys.good()) == expected


KeysOverTime.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestKeysOverTime = KeysOverTime.TestCase
