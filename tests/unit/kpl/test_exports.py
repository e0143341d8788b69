import orderstream
import orderstream.kpl


def test_the_public_names_are_these() -> None:
    """Adding a public name is a decision; removing one breaks somebody."""
    assert set(orderstream.__all__) == {
        "BufferFullError",
        "ConfigError",
        "Delivered",
        "Delivery",
        "DeliveryFailedError",
        "DependencyError",
        "OrderstreamError",
        "Producer",
        "ProducerClosedError",
        "ProducerConfig",
        "RecordInvalidError",
        "RecordTooLargeError",
        "UnsentRecordsError",
    }
    assert set(orderstream.kpl.__all__) == (
        set(orderstream.__all__) - {"DependencyError", "OrderstreamError"}
    ) | {
        "MAX_HASH_KEY",
        "AggregateCorruptError",
        "Attempt",
        "Opened",
        "UserRecord",
        "deaggregate",
        "hash_key_of",
    }


def test_every_error_of_the_producer_is_in_the_one_tree() -> None:
    """One except clause catches whatever Orderstream raises on purpose."""
    errors = [value for name, value in vars(orderstream.kpl).items() if name.endswith("Error")]
    assert len(errors) == 8
    assert all(issubclass(error, orderstream.OrderstreamError) for error in errors)
