import dataclasses
import inspect
from typing import Any

import pytest

from orderstream import ProducerConfig
from orderstream.configuration import ConfigError
from orderstream.producer.config import KIB, MIB


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("record_max_bytes", 0),
        ("record_max_bytes", 11 * MIB),
        ("aggregate_target_bytes", 1023),
        ("aggregate_target_bytes", MIB + 1),
        ("aggregate_max_bytes", 49 * KIB),
        ("aggregate_max_bytes", 11 * MIB),
        ("aggregate_max_records", 0),
        ("linger", -0.1),
        ("linger", float("nan")),
        ("collection_max_records", 501),
        ("collection_max_bytes", KIB - 1),
        ("collection_max_bytes", 10 * MIB + 1),
        ("max_in_flight_requests", 0),
        ("slots_per_shard", 0),
        ("buffered_bytes", MIB - 1),
        ("when_full", "drop"),
        ("records_per_second_per_shard", 0),
        ("bytes_per_second_per_shard", -1),
        ("ordering", "global"),
        ("retry_base_delay", 0),
        ("retry_max_delay", 0.01),
        ("connect_timeout", 0),
        ("read_timeout", 61),
        ("close_timeout", -1),
        ("delivery_timeout", 0),
        ("delivery_timeout", 86_401),
        ("max_attempts", 0),
        ("max_attempts", 1.5),
        ("linger", "1"),
        ("linger", True),
        ("aggregate_max_records", 10.0),
        ("aggregation", 1),
        ("region_name", ""),
        ("endpoint_url", 80),
    ],
)
def test_a_value_out_of_range_is_named(field: str, value: Any) -> None:
    """The error tells the field, its value and what it may be."""
    with pytest.raises(ConfigError) as caught:
        ProducerConfig(**{field: value})
    assert (caught.value.field, caught.value.allowed != "") == (field, True)
    assert caught.value.value is value
    assert f"{field}={value!r}" in str(caught.value)
    assert caught.value.allowed in str(caught.value)


@pytest.mark.parametrize("size", [1, 1000, 40 * KIB, 400 * KIB, 10 * MIB])
def test_one_limit_does_not_ask_for_another(size: int) -> None:
    """Whoever says how large records may be need not know of the sizes of aggregates."""
    config = ProducerConfig(record_max_bytes=size)
    assert config.record_max_bytes == size


def test_the_defaults_are_in_range_and_frozen() -> None:
    """A configuration that was accepted stays what it is."""
    config = ProducerConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.linger = 1.0


def test_every_field_is_documented() -> None:
    """Each setting is explained where it is defined."""
    documentation = inspect.cleandoc(ProducerConfig.__doc__ or "")  # Python 3.13 does so by itself
    for field in dataclasses.fields(ProducerConfig):
        assert f"\n    {field.name}: " in documentation
