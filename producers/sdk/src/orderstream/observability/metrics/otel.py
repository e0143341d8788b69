"""A producer's metrics for OpenTelemetry (extra ``otel``)."""

from opentelemetry.metrics import Meter, get_meter


class OpenTelemetryMetrics:
    """Counts in instruments of OpenTelemetry's metrics API, whatever the application exports them to.

    Args:
        stream: What the attribute ``messaging.destination.name`` says.
        meter: Makes the instruments; by default that of the global provider.
    """

    def __init__(self, stream: str, meter: Meter | None = None) -> None:
        meter = meter or get_meter("orderstream.producer")
        self._stream = {"messaging.destination.name": stream}
        self._user_records = meter.create_counter(
            "orderstream.producer.user_records", "{record}", "User records that were acknowledged."
        )
        self._bytes = meter.create_counter(
            "orderstream.producer.user_record_size", "By", "Their payloads and partition keys."
        )
        self._given_up = meter.create_counter(
            "orderstream.producer.user_records_given_up", "{record}", "User records that were given up."
        )
        self._kinesis_records = meter.create_counter(
            "orderstream.producer.kinesis_records", "{record}", "Kinesis records that were taken."
        )
        self._errors = meter.create_counter(
            "orderstream.producer.errors", "{record}", "Kinesis records that were refused or lost, by error."
        )
        self._request_time = meter.create_histogram(
            "orderstream.producer.request.duration", "s", "How long a call took, for each Kinesis record."
        )
        self._buffering_time = meter.create_histogram(
            "orderstream.producer.buffering.duration", "s", "From put to outcome, oldest of a Kinesis record."
        )

    def attempted(
        self,
        shard_id: str,
        user_records: int,  # noqa: ARG002 - told when they are completed
        size: int,  # noqa: ARG002
        seconds: float,
        error_code: str | None,
    ) -> None:
        """Count a Kinesis record that came back."""
        where = self._where(shard_id)
        self._request_time.record(seconds, where)
        if error_code is None:
            self._kinesis_records.add(1, where)
        else:
            self._errors.add(1, {**where, "error.type": error_code})

    def completed(self, shard_id: str | None, user_records: int, size: int, seconds: float) -> None:
        """Count user records that have their outcome."""
        where = self._stream if shard_id is None else self._where(shard_id)
        self._buffering_time.record(seconds, where)
        if shard_id is None:
            self._given_up.add(user_records, where)
        else:
            self._user_records.add(user_records, where)
            self._bytes.add(size, where)

    def _where(self, shard_id: str) -> dict[str, str]:
        return {**self._stream, "aws.kinesis.shard_id": shard_id}
