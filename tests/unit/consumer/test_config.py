"""Every setting of a consumer is refused at construction where it is not possible."""

import datetime as dt
from typing import Any

import pytest

from orderstream.errors import OrderstreamError
from orderstream_consumer import ConfigError, Consumer, ConsumerConfig
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engine", "flink"),
        ("initial_position", "EARLIEST"),
        ("initial_position", dt.datetime(2026, 1, 1)),  # noqa: DTZ001 - that is the point
        ("lanes", 0),
        ("lanes", 1.5),
        ("threads", True),
        ("retries", -1),
        ("retry_base_delay", 0),
        ("retry_max_delay", 0.1),
        ("outages", (Exception,)),
        ("outages", [ConnectionError]),
        ("lease_table", ""),
        ("failover_time", 0.5),
        ("idle_between_reads", -1),
        ("max_records", 10_001),
        ("drain_timeout", 0),
        ("stream_gone_timeout", 0),
        ("health_port", 0),
        ("ordered", "yes"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(field: str, value: Any) -> None:
    """The error names the field, what it was set to, and what it may be."""
    with pytest.raises(ConfigError, match=field) as caught:
        ConsumerConfig(**{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)
    assert isinstance(caught.value, OrderstreamError)


def test_kcl_begins_at_no_time() -> None:
    """KCL's daemon takes no time to begin at, so it is refused rather than ignored."""
    with pytest.raises(ConfigError, match="engine='kcl'"):
        ConsumerConfig(engine="kcl", initial_position=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def test_a_time_becomes_the_engines_timestamp() -> None:
    """A time with a zone is AT_TIMESTAMP."""
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    engine = ConsumerConfig(initial_position=at).engine_config()
    assert (engine.initial_position, engine.initial_timestamp) == ("AT_TIMESTAMP", at)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("application", {"application": "a b"}),
        ("application", {"application": None}),
        ("stream", {"stream": None}),
        ("stream", {"stream": "arn:aws:kinesis:eu-west-1:1:stream/orders"}),
        ("handler", {"handler": None}),
        ("handler", {"batch_handler": print}),
        ("handler", {"handler": 7}),
        ("on_failure", {"on_failure": "ignore"}),
        ("config", {"config": {"lanes": 3}}),
        ("leases", {"config": ConsumerConfig(engine="kcl")}),
    ],
)
def test_an_impossible_argument_is_refused_with_its_name(field: str, arguments: dict[str, Any]) -> None:
    """Also those of callers whose types nobody checks."""
    fitting: dict[str, Any] = {
        "application": "billing",
        "stream": "orders",
        "handler": print,
        "leases": MemoryLeaseTable(),
        "store": MemoryStore(),
    }
    with pytest.raises(ConfigError) as caught:
        Consumer(**(fitting | arguments))
    assert caught.value.field == field
