"""Puts encoded messages into the stream and waits until Kinesis has acknowledged all of them."""

from collections.abc import Sequence
from typing import Protocol

from orderstream import BufferFullError, DeliveryFailedError, Producer, ProducerClosedError
from orderstream.errors import DependencyError
from orderstream.events import compressed


class Emitter(Protocol):
    """Emits messages of one order, in order."""

    def emit(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        """Put messages and wait for every acknowledgement.

        Args:
            envelopes: Encoded envelopes, in the order in which they are to stand in the stream.
            partition_key: The order id.

        Raises:
            DependencyError: not all of them are known to have arrived; emit them again.
        """


class KinesisEmitter:
    """Emits through the producer SDK.

    Args:
        producer: The process's producer.
        patience: Seconds to wait for each acknowledgement before the input is handed back to its retry,
            above 0.
        compress: Whether messages travel compressed where that makes them smaller.
    """

    def __init__(self, producer: Producer, patience: float = 30.0, *, compress: bool = False) -> None:
        self._producer = producer
        self._patience = patience
        self._compress = compress

    def emit(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        """See ``Emitter.emit``."""
        if self._compress:
            envelopes = [compressed(envelope) for envelope in envelopes]
        try:
            deliveries = [self._producer.put(envelope, partition_key) for envelope in envelopes]
            for delivery in deliveries:
                delivery.result(timeout=self._patience)
        except (BufferFullError, ProducerClosedError, DeliveryFailedError, TimeoutError) as error:
            # None of these says anything about the input: it must be retried, never parked.
            raise DependencyError("kinesis", "PutRecords", str(error)) from error


class CollectingEmitter:
    """Keeps what is emitted, for tests and simulations."""

    def __init__(self) -> None:
        self.emitted: list[bytes] = []

    def emit(self, envelopes: Sequence[bytes], partition_key: str) -> None:  # noqa: ARG002 - the protocol's
        """See ``Emitter.emit``."""
        self.emitted.extend(envelopes)
