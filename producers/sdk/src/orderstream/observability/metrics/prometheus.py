"""A producer's metrics for Prometheus (extra ``prometheus``)."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class PrometheusMetrics:
    """Counts in a registry of ``prometheus_client``; one object serves all producers of a registry.

    Args:
        stream: What the label ``stream`` says.
        registry: Where the metrics are registered.
    """

    def __init__(self, stream: str, registry: CollectorRegistry = REGISTRY) -> None:
        labels = ("stream", "shard")

        def counter(name: str, documentation: str, *more: str) -> Counter:
            return Counter(f"orderstream_producer_{name}", documentation, (*labels, *more), registry=registry)

        def histogram(name: str, documentation: str) -> Histogram:
            name = f"orderstream_producer_{name}_seconds"
            return Histogram(name, documentation, labels, registry=registry, buckets=_SECONDS)

        self._stream = stream
        self._user_records = counter("user_records", "User records that were acknowledged.")
        self._bytes = counter("user_record_bytes", "Their payloads and partition keys.")
        self._given_up = counter("user_records_given_up", "User records that were given up.")
        self._kinesis_records = counter("kinesis_records", "Kinesis records that were taken.")
        self._errors = counter("errors", "Kinesis records that were refused or lost, by error.", "code")
        self._request_time = histogram("request", "How long a PutRecords call took, for each Kinesis record.")
        self._buffering_time = histogram("buffering", "From put to outcome, oldest of each Kinesis record.")

    def attempted(
        self,
        shard_id: str,
        user_records: int,  # noqa: ARG002 - told when they are completed
        size: int,  # noqa: ARG002
        seconds: float,
        error_code: str | None,
    ) -> None:
        """Count a Kinesis record that came back."""
        self._request_time.labels(self._stream, shard_id).observe(seconds)
        if error_code is None:
            self._kinesis_records.labels(self._stream, shard_id).inc()
        else:
            self._errors.labels(self._stream, shard_id, error_code).inc()

    def completed(self, shard_id: str | None, user_records: int, size: int, seconds: float) -> None:
        """Count user records that have their outcome."""
        self._buffering_time.labels(self._stream, shard_id or "").observe(seconds)
        if shard_id is None:
            self._given_up.labels(self._stream, "").inc(user_records)
        else:
            self._user_records.labels(self._stream, shard_id).inc(user_records)
            self._bytes.labels(self._stream, shard_id).inc(size)
