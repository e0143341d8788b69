"""A producer that completes every put as it is told to."""

from collections.abc import Callable

from orderstream import Delivered, DeliveryFailedError


class CompletedDelivery:
    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure

    def result(self, timeout: float | None = None) -> Delivered:
        if self._failure is not None:
            raise self._failure
        return Delivered("shardId-000000000000", "1", 0, ())

    def exception(self, timeout: float | None = None) -> Exception | None:
        return self._failure

    def add_done_callback(self, callback: Callable[["CompletedDelivery"], object]) -> None:
        callback(self)


class CollectingProducer:
    """Keeps what is put. Fails the next puts with ``refusals``, the next results with ``failures``."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []
        self.refusals: list[Exception] = []
        self.failures: list[Exception] = []

    def put(self, data: bytes, partition_key: str) -> CompletedDelivery:
        if self.refusals:
            raise self.refusals.pop(0)
        self.records.append((partition_key, data))
        return CompletedDelivery(self.failures.pop(0) if self.failures else None)


def gave_up() -> DeliveryFailedError:
    return DeliveryFailedError("closed")
