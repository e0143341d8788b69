"""What is set for a stream: retention, mode, record size, record distribution and encryption."""

from collections.abc import Callable
from typing import Final

from orderstream.testing.errors import invalid_argument
from orderstream.testing.operations.family import OperationFamily
from orderstream.testing.state.stream import AUTO, ON_DEMAND, PROVISIONED, Stream
from orderstream.testing.state.streams import Request, Response

_MIN_RETENTION_HOURS: Final = 24
_MAX_RETENTION_HOURS: Final = 8_760


class SettingOperations(OperationFamily):
    """The operations on a stream's settings."""

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """See ``OperationFamily``."""
        return {
            "IncreaseStreamRetentionPeriod": self._increase_retention,
            "DecreaseStreamRetentionPeriod": self._decrease_retention,
            "UpdateStreamMode": self._update_mode,
            "UpdateMaxRecordSize": self._update_record_size,
            "UpdateStreamRecordDistributionStrategy": self._update_distribution,
            "StartStreamEncryption": self._start_encryption,
            "StopStreamEncryption": self._stop_encryption,
        }

    def _increase_retention(self, request: Request) -> Response:
        (stream, _), hours = self._streams.active(request), _retention(request)
        if hours < stream.retention_hours:
            raise invalid_argument(
                f"{hours} hours are less than the {stream.retention_hours} that there are."
            )
        stream.retention_hours = hours
        return {}

    def _decrease_retention(self, request: Request) -> Response:
        (stream, now), hours = self._streams.active(request), _retention(request)
        if hours > stream.retention_hours:
            raise invalid_argument(
                f"{hours} hours are more than the {stream.retention_hours} that there are."
            )
        stream.retention_hours = hours
        stream.trim(now)
        return {}

    def _update_mode(self, request: Request) -> Response:
        stream, now = self._streams.active(request)
        mode = request["StreamModeDetails"]["StreamMode"]
        if mode == PROVISIONED and stream.distribution == AUTO:
            raise invalid_argument(
                f"Stream {stream.name} has the record distribution strategy AUTO, which needs ON_DEMAND mode."
            )

        def change(_: float) -> None:
            stream.mode = mode

        return self._change(stream, change, now)

    def _update_record_size(self, request: Request) -> Response:
        stream, now = self._streams.active(request)
        size = request["MaxRecordSizeInKiB"] * 1024

        def change(_: float) -> None:
            stream.max_record_bytes = size

        return self._change(stream, change, now)

    def _update_distribution(self, request: Request) -> Response:
        stream, _ = self._streams.active(request)
        strategy = request["RecordDistributionStrategy"]
        if strategy == AUTO and stream.mode != ON_DEMAND:
            raise invalid_argument("RecordDistributionStrategy AUTO needs a stream in ON_DEMAND mode.")
        stream.distribution = strategy  # at once, as documented
        return {}

    def _start_encryption(self, request: Request) -> Response:
        stream, now = self._streams.active(request)
        _demand_kms(request)
        return self._change(stream, lambda _: stream.encrypt(request["KeyId"]), now)

    def _stop_encryption(self, request: Request) -> Response:
        stream, now = self._streams.active(request)
        _demand_kms(request)
        return self._change(stream, lambda _: stream.encrypt(None), now)

    def _change(self, stream: Stream, change: Callable[[float], None], now: float) -> Response:
        stream.change(change, now, self._streams.done_at(now))
        return {}


def _demand_kms(request: Request) -> None:
    if request["EncryptionType"] != "KMS":
        raise invalid_argument(f"EncryptionType must be KMS, not {request['EncryptionType']}.")


def _retention(request: Request) -> int:
    hours = int(request["RetentionPeriodHours"])
    if not _MIN_RETENTION_HOURS <= hours <= _MAX_RETENTION_HOURS:
        raise invalid_argument(f"Retention has to be from 24 to 8760 hours, not {hours}.")
    return hours
