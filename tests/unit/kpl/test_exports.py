import orderstream
import orderstream.aggregation

FOR_APPLICATIONS = {
    "Attempt",
    "AsyncProducer",
    "AwsSettingsError",
    "DeliveryPendingError",
    "HeldUpError",
    "KinesisCalls",
    "StreamUnavailableError",
    "StreamUnreachableError",
    "Interceptor",
    "Partitioner",
    "salted",
    "unsalted",
    "BufferFullError",
    "ConfigError",
    "Delivered",
    "Delivery",
    "DeliveryFailedError",
    "ForeignLoopError",
    "ForkedProducerError",
    "Producer",
    "ProducerClosedError",
    "ProducerConfig",
    "RecordInvalidError",
    "RecordTooLargeError",
    "UnclosedProducerWarning",
    "UnsentRecordsError",
    "WaitInCallbackError",
}
OF_THE_FORMAT = {
    "MAX_HASH_KEY",
    "AggregateCorruptError",
    "Deaggregated",
    "UserRecord",
    "deaggregate",
    "hash_key_of",
}


OF_THE_PACKAGE = {
    "AggregatingMeter",
    "EmfExporter",
    "Exporting",
    "Meter",
    "Metric",
    "DependencyError",
    "EventPublisher",
    "MissingExtraError",
    "OrderstreamError",
    "UserRecord",
}


def test_the_public_names_are_these() -> None:
    """Adding a public name is a decision; removing one breaks somebody."""
    assert set(orderstream.__all__) == FOR_APPLICATIONS | OF_THE_PACKAGE
    assert set(orderstream.aggregation.__all__) == OF_THE_FORMAT
    assert orderstream.UserRecord is orderstream.aggregation.UserRecord


def test_every_error_of_the_producer_is_in_the_one_tree() -> None:
    """One except clause catches whatever Orderstream raises on purpose."""
    public = vars(orderstream) | vars(orderstream.aggregation)
    errors = [value for name, value in public.items() if name.endswith("Error")]
    assert len(errors) == 19
    assert all(issubclass(error, orderstream.OrderstreamError) for error in errors)


def test_producers_show_what_is_public() -> None:
    """What an editor completes is what applications may use."""
    faces = {
        face.__name__: {name for name in vars(face) if not name.startswith("_")}
        for face in (orderstream.Producer, orderstream.AsyncProducer)
    }
    shared = {"check", "close", "flush", "put", "wait_ready"}
    assert faces == {
        "Producer": shared | {"put_many"},
        "AsyncProducer": shared | {"enqueue", "put_nowait"},
    }
