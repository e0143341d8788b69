"""The secrets that a setting may name, and the command that migrates."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from fakes.postgresql import PostgresServer, postgresql_served
from orderstream.errors import DependencyError
from orderstream_workers.cli.main import orderstream
from orderstream_workers.projections.order_status import ReadModelError, check_schema, open_engine
from orderstream_workers.projections.order_status.schema import latest_step
from orderstream_workers.runtime.read_model import (
    FileSecret,
    migrate_read_model,
    named_secret,
    open_read_model,
    read_model_asked,
)
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgresql_served() as served:
        served.run("CREATE ROLE pipeline LOGIN SUPERUSER PASSWORD 'secret'")
        yield served


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def test_a_file_is_read_each_time(tmp_path: Path) -> None:
    """What an orchestrator puts in its place counts; a file that is not there yet is an outage."""
    file = tmp_path / "secret"
    secret = named_secret(str(file), lambda: pytest.fail("no client is needed"))
    assert isinstance(secret, FileSecret)
    with pytest.raises(DependencyError, match="No such file"):
        secret.read()
    for password in ("first", "second"):
        file.write_text(json.dumps({"username": "pipeline", "password": password}))
        assert secret.read().password == password


@pytest.mark.usefixtures("credentials")
def test_secrets_manager_gives_the_present_version(server: PostgresServer) -> None:
    """A worker connects with what the secret says; a secret that is not there is an outage that names it."""
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-central-1")
        kept = {"username": "pipeline", "password": "secret", "host": "elsewhere"}
        arn = client.create_secret(Name="read-model", SecretString=json.dumps(kept))["ARN"]
        url = server.emptied().replace("postgres@", "")
        with Resources(Settings(read_model_url=url, read_model_secret=arn)) as resources:
            assert migrate_read_model(resources) == (None, latest_step())
            read_model_asked(open_read_model(resources)).ask()
        with (
            Resources(Settings(read_model_url=url, read_model_secret=arn + "x")) as resources,
            pytest.raises(DependencyError, match="GetSecretValue"),
        ):
            migrate_read_model(resources)


def test_the_command_migrates_and_says_what_it_did(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First it names both steps, then that there is nothing to do; and which database."""
    url = server.emptied()
    monkeypatch.setenv("ORDERSTREAM_READ_MODEL_URL", url)
    words = ["read-model", "migrate", "--aws"]
    first, again = (CliRunner().invoke(orderstream, words) for _ in range(2))
    assert (first.exit_code, first.stdout) == (0, f"it had no tables, and is at step {latest_step()} now\n")
    assert (again.exit_code, again.stdout) == (0, f"it is at step {latest_step()} already: nothing to do\n")
    engine = open_engine(url)
    check_schema(engine)
    engine.dispose()


def test_a_database_that_refuses_is_said_in_one_sentence(server: PostgresServer) -> None:
    """What the server said, without a statement and without a link."""
    url = server.emptied().replace("/test_", "/none_")
    with (
        Resources(Settings(read_model_url=url)) as resources,
        pytest.raises(ReadModelError, match=r'database "none_\w+" does not exist') as raised,
    ):
        migrate_read_model(resources)
    assert "sqlalche.me" not in str(raised.value)
