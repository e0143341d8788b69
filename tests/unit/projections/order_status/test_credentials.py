"""Credentials: never in the environment, never shown, and read anew when they have changed."""

import logging
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from fakes.order_history import envelope_of, placed
from fakes.postgresql import PostgresServer
from fakes.shard import delivered
from orderstream.errors import DependencyError
from orderstream_workers.projections.order_status import (
    Credentials,
    CredentialsError,
    ReadModelError,
    ReadModelWriter,
    RotatingCredentials,
    credentials_in,
    migrate,
    open_engine,
)


class KeptSecret:
    """A secret that says what it is told to, and counts how often it was read."""

    def __init__(self, username: str, password: str) -> None:
        self.says = Credentials(username=username, password=password)
        self.read_times = 0

    def read(self) -> Credentials:
        self.read_times += 1
        return self.says


_NUMBERS = count(1)


@pytest.fixture
def user(server: PostgresServer) -> str:
    """A user whose password is ``first``."""
    name = f"user_{next(_NUMBERS)}"
    server.run(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD 'first'")
    return name


def without_user(url: str) -> str:
    return url.replace("postgres@", "")


def test_a_rotated_password_is_read_anew(server: PostgresServer, user: str) -> None:
    """The secret is read once; after the password has changed, new connections read it again, once."""
    secret, now = KeptSecret(user, "first"), [0.0]
    url = server.emptied()
    engine = open_engine(without_user(url), RotatingCredentials(secret, lambda: now[0]))
    migrate(engine)
    writer = ReadModelWriter(engine)
    writer.apply_batch([delivered(1, envelope_of(placed("a")).encode())])
    assert secret.read_times == 1

    server.run(f"ALTER ROLE {user} PASSWORD 'second'")
    secret.says = Credentials(username=user, password="second")
    server.break_off(url)
    now[0] = 60.0
    writer.apply_batch([delivered(2, envelope_of(placed("b")).encode())])
    assert secret.read_times == 2
    engine.dispose()


def test_a_secret_that_does_not_help_is_an_outage_and_not_read_for_each_try(
    server: PostgresServer, user: str
) -> None:
    """Nothing is written and nothing is lost; the secret is asked once in ten seconds, however many tries."""
    secret, now = KeptSecret(user, "wrong"), [0.0]
    engine = open_engine(without_user(server.emptied()), RotatingCredentials(secret, lambda: now[0]))
    writer = ReadModelWriter(engine)
    for seconds in (0, 1, 2, 3, 11, 12):
        now[0] = float(seconds)
        with pytest.raises(DependencyError, match="password authentication failed"):
            writer.apply_batch([delivered(1, envelope_of(placed("a")).encode())])
    assert secret.read_times == 2
    engine.dispose()


def test_the_password_is_never_shown(
    server: PostgresServer, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a repr, nor an error, nor a line of a log has it."""
    caplog.set_level(logging.DEBUG)
    secret = KeptSecret(user, "very-secret")
    engine = open_engine(without_user(server.emptied()), RotatingCredentials(secret))
    with pytest.raises(OperationalError) as raised, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    for shown in (repr(secret.says), repr(engine), str(raised.value), caplog.text):
        assert "very-secret" not in shown
    engine.dispose()


def test_a_password_in_the_url_of_another_machine_is_refused() -> None:
    """The environment is shown to whoever may describe a task: the error names the setting for a secret."""
    with pytest.raises(ReadModelError, match="ORDERSTREAM_READ_MODEL_SECRET") as raised:
        open_engine("postgresql+psycopg://orderstream:hush@database.example.com/orderstream")
    assert "hush" not in str(raised.value)
    for url in ("postgresql+psycopg://me:hush@localhost/x", "postgresql+psycopg://me@database.example.com/x"):
        open_engine(url).dispose()


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql+psycopg://database.example.com/orderstream", "require"),
        ("postgresql+psycopg://database.example.com/orderstream?sslmode=verify-full", "verify-full"),
        ("postgresql+psycopg://localhost/orderstream", None),
    ],
)
def test_another_machine_is_reached_over_tls(url: str, mode: str | None) -> None:
    """Unless the URL says more, or outright less."""
    engine = open_engine(url)
    _, connection = engine.dialect.create_connect_args(engine.url)
    from orderstream_workers.projections.order_status.postgresql import server_arguments

    more = server_arguments(engine.url, read_only=False)["connect_args"]
    assert (connection | more).get("sslmode") == mode
    engine.dispose()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hush", "no JSON"),
        (b"\xff", "no JSON"),
        (b'["hush"]', "no text username"),
        (b'{"username": "hush"}', "no text username"),
        (b'{"username": "hush", "password": 5}', "no text username"),
        (b'{"username": "hush", "password": ""}', "is empty"),
    ],
)
def test_a_secret_that_holds_no_credentials_is_named_and_not_quoted(content: bytes, reason: str) -> None:
    """The error says which secret, what is wrong, and what it should be."""
    with pytest.raises(CredentialsError, match=reason) as raised:
        credentials_in(content, secret="arn:of:it")
    assert "arn:of:it" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_what_rds_adds_is_passed_over() -> None:
    """A secret that RDS manages has engine, host, port and so on besides."""
    found = credentials_in('{"username":"u","password":"p","engine":"postgres","port":5432}', secret="it")
    assert (found.username, found.password) == ("u", "p")
