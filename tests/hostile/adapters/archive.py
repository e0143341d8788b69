"""The calls of the archiver to S3."""

from collections.abc import Callable
from typing import Final

from hostile.adapters.operation import Clients, Make, Operation
from hostile.responses import Wire, good
from orderstream_workers.services.archiver import S3ObjectStore


def _archive(call: Callable[[S3ObjectStore], object], *, proven: bool = True) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        objects = S3ObjectStore(clients.aws("s3"), "archive")
        objects._keeps_condition = proven
        return lambda: call(objects)

    return make


_METADATA: Final = good(Wire.XML, b"", "metadata", ("x-amz-meta-to", "1-0"))

_LISTED: Final = (
    b"<ListBucketResult><Name>archive</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
    b"<Contents><Key>a</Key></Contents></ListBucketResult>"
)

ARCHIVE: Final = (
    Operation(
        "archive put",
        Wire.XML,
        "PUT ",
        _archive(lambda objects: objects.put_if_absent("a", b"x", {"to": "1-0"})),
        good(Wire.XML, b"", "stored", ("etag", '"e"')),
    ),
    Operation(
        "archive look",
        Wire.XML,
        "HEAD ",
        _archive(lambda objects: objects.put_if_absent("a", b"x", {"to": "1-0"}), proven=False),
        _METADATA,
    ),
    Operation(
        "archive metadata", Wire.XML, "HEAD ", _archive(lambda objects: objects.metadata("a")), _METADATA
    ),
    Operation(
        "archive read",
        Wire.XML,
        "GET ",
        _archive(lambda objects: objects.read("a")),
        good(Wire.XML, b"content"),
    ),
    Operation(
        "archive folders",
        Wire.XML,
        "GET ",
        _archive(lambda objects: list(objects.folders())),
        good(Wire.XML, _LISTED),
    ),
    Operation(
        "archive list",
        Wire.XML,
        "GET ",
        _archive(lambda objects: list(objects.names())),
        good(Wire.XML, _LISTED),
    ),
)
