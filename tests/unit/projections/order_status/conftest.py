"""Every test of the read model runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from fakes.postgresql import PostgresServer, postgresql_served
from orderstream_workers.projections.order_status import migrate, open_engine


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgresql_served() as served:
        yield served


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'model.sqlite'}"
    served: PostgresServer = request.getfixturevalue("server")
    return served.emptied()


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """A database with the read model's tables."""
    opened = open_engine(database)
    migrate(opened)
    yield opened
    opened.dispose()
