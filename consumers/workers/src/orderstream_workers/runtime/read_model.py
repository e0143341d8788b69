"""The read model's database as the settings name it, with the secret that holds its user and password."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from orderstream.aws import aws_calls, required
from orderstream.errors import DependencyError
from orderstream_consumer.health.watch import Dependency
from orderstream_workers.projections.order_status import (
    Credentials,
    ReadModel,
    ReadModelError,
    RotatingCredentials,
    Secret,
    credentials_in,
    ensure_schema,
    migrate,
    open_engine,
    shown_url,
)
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology.pipeline import READ_MODEL

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from sqlalchemy import Engine


def open_read_model(resources: Resources) -> "Engine":
    """Open the read model's database; it is closed with the resources.

    Args:
        resources: Of the process.

    Raises:
        ReadModelError: it cannot be opened as it is named.
    """
    engine = open_engine(resources.settings.name_of(READ_MODEL), read_model_credentials(resources))
    resources.close_later(engine.dispose)
    return engine


def migrate_read_model(resources: Resources) -> tuple[str | None, str]:
    """Bring the read model's tables into the form that this version needs.

    Args:
        resources: Of the process.

    Returns:
        The step that they were at, None if there were none, and the one that they are at now.

    Raises:
        ReadModelError: the database cannot be opened, is out of reach, or refuses; nothing was changed.
        DependencyError: the secret is out of reach.
    """
    engine = open_read_model(resources)
    try:
        return migrate(engine)
    except SQLAlchemyError as error:
        # Its text goes on with the statement, and a link.
        reason = str(error).partition("\n")[0]
        raise ReadModelError(shown_url(resources.settings.name_of(READ_MODEL)), reason) from error


def read_model_asked(engine: "Engine") -> Dependency:
    """The read model's database: asked whether its tables can be worked with.

    Args:
        engine: From ``open_read_model``.
    """

    def ask() -> None:
        ensure_schema(engine)
        ReadModel(engine).ask()

    return Dependency("database of the read model", ask)


def read_model_credentials(resources: Resources) -> RotatingCredentials | None:
    """User and password of the read model's server; None where no secret is named.

    Args:
        resources: Of the process.
    """
    name = resources.settings.read_model_secret
    return RotatingCredentials(named_secret(name, lambda: resources.secrets)) if name else None


class SecretsManagerSecret:
    """Credentials in AWS Secrets Manager; each reading gets the present version.

    Args:
        client: Gives the client.
        arn: The secret's ARN, or its name.
    """

    def __init__(self, client: Callable[[], "SecretsManagerClient"], arn: str) -> None:
        self._client = client
        self._arn = arn

    def read(self) -> Credentials:
        """See ``Secret.read``."""
        client = self._client()
        with aws_calls("secretsmanager", "GetSecretValue", client=client, resource=self._arn):
            text = required(client.get_secret_value(SecretId=self._arn), "SecretString", str)
        return credentials_in(text, secret=self._arn)


class FileSecret:
    """Credentials in a file, which may be replaced.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Credentials:
        """See ``Secret.read``."""
        try:
            text = self._path.read_bytes()
        except OSError as error:
            raise DependencyError(f"secret {self._path}", "read", error.strerror or str(error)) from error
        return credentials_in(text, secret=str(self._path))


def named_secret(name: str, client: Callable[[], "SecretsManagerClient"]) -> Secret:
    """The secret that a setting names.

    Args:
        name: The path of a file, beginning with ``/``, or else what Secrets Manager knows it by.
        client: Gives a client of Secrets Manager.
    """
    return FileSecret(Path(name)) if name.startswith("/") else SecretsManagerSecret(client, name)
