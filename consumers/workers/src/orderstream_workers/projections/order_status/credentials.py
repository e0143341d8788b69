"""The user and the password of the read model's database, which change while processes run."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from orderstream.errors import DependencyError, OrderstreamError

logger = logging.getLogger(__name__)

_PAUSE: Final = 10.0
"""Seconds between two readings of a secret, at least: every try in an outage of the database asks for it."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who we are to the database.

    Attributes:
        username: The user.
        password: Its password.
    """

    username: str
    password: str

    def __repr__(self) -> str:
        """Without the password: it must not get into a log."""
        return f"Credentials(username={self.username!r})"


class CredentialsError(OrderstreamError):
    """A secret holds no credentials of a database.

    Args:
        secret: Its ARN, or the path of its file.
        reason: What is wrong with it.
    """

    def __init__(self, secret: str, reason: str) -> None:
        self.secret = secret
        self.reason = reason
        super().__init__(
            f"the secret {secret} cannot be used: {reason}; ORDERSTREAM_READ_MODEL_SECRET names one with "
            'the JSON {"username": ..., "password": ...}, as Amazon RDS keeps it'
        )


class Secret(Protocol):
    """Where the credentials are kept."""

    def read(self) -> Credentials:
        """The credentials as they are now.

        Raises:
            DependencyError: the secret is out of reach.
            CredentialsError: it holds no credentials.
        """


def credentials_in(text: str | bytes, *, secret: str) -> Credentials:
    """The credentials in a secret's text. Members beside the two, such as RDS' own, are passed over.

    Args:
        text: JSON.
        secret: What it is called, for the error.

    Raises:
        CredentialsError: it is no JSON, or one of the two is missing or empty.
    """
    try:
        found = msgspec.json.decode(text, type=Credentials)
    except msgspec.MsgspecError as error:
        # Its own words could quote the secret.
        reason = "it is no JSON" if isinstance(error, msgspec.DecodeError) else "a member is missing"
        if isinstance(error, msgspec.ValidationError):
            reason = "it has no text username or no text password"
        raise CredentialsError(secret, reason) from None
    if not (found.username and found.password):
        raise CredentialsError(secret, "its username or its password is empty")
    return found


class RotatingCredentials:
    """Credentials that are read once, and again where no connection comes about. Safe for many threads.

    Args:
        secret: Where they are kept.
        clock: Monotonic seconds.
    """

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = secret
        self._clock = clock
        self._known: Credentials | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def current(self) -> Credentials:
        """The credentials as they were last read.

        Raises:
            DependencyError: the secret is out of reach, or holds no credentials for now.
        """
        with self._lock:
            if self._known is None:
                self._read()
            assert self._known is not None
            return self._known

    def after_refusal(self, refused: Credentials) -> Credentials | None:
        """Others than those that were refused; None if there are none, or it is too early to look again.

        Args:
            refused: What the database did not take, or was not reached with.

        Raises:
            DependencyError: see ``current``.
        """
        with self._lock:
            if self._known == refused and self._clock() - self._read_at >= _PAUSE:
                self._read()
            return None if self._known == refused else self._known

    def _read(self) -> None:
        before = self._known
        self._read_at = self._clock()
        try:
            self._known = self._secret.read()
        except CredentialsError as error:
            # Its rotation or correction may be under way: no record is at fault.
            raise DependencyError("the read model's secret", "read", str(error)) from error
        if before is not None and before != self._known:
            logger.info("the database's credentials have changed", extra={"username": self._known.username})
