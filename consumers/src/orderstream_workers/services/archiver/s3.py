"""Archived objects in an S3 bucket."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from orderstream.errors import DependencyError
from orderstream_workers.services.archiver.objects import check_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THERE_ALREADY: Final = "PreconditionFailed"


class S3ObjectStore:
    """Keeps objects in a bucket, put with ``If-None-Match: *``.

    Args:
        client: A boto3 S3 client, best with botocore's own retries off: callers retry.
        bucket: The bucket's name.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """See ``ObjectStore.put_if_absent``."""
        check_object(key, metadata)
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, Metadata=dict(metadata), IfNoneMatch="*"
            )
        except ClientError as error:
            # S3 answers 409 to one of two puts at the same time: neither stored nor there, so try again.
            if _code(error) == _THERE_ALREADY:
                return False
            raise DependencyError("s3", "PutObject", _code(error)) from error
        except BotoCoreError as error:
            raise DependencyError("s3", "PutObject", str(error)) from error
        return True

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``ObjectStore.metadata``."""
        answer = _call("HeadObject", lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        found: Mapping[str, str] = answer["Metadata"]
        return found

    def read(self, key: str) -> bytes:
        """See ``ObjectStore.read``."""

        def get() -> bytes:
            with self._client.get_object(Bucket=self._bucket, Key=key)["Body"] as body:
                return body.read()

        content: bytes = _call("GetObject", get)
        return content

    def folders(self) -> Iterator[str]:
        """See ``ObjectStore.folders``."""
        paginator = self._client.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self._bucket, Delimiter="/"))
        while page := _call("ListObjectsV2", lambda: next(pages, None)):
            for folder in page.get("CommonPrefixes", ()):
                yield folder["Prefix"]

    def names(self, prefix: str = "") -> Iterator[str]:
        """See ``ObjectStore.names``."""
        pages = iter(
            self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        )
        while page := _call("ListObjectsV2", lambda: next(pages, None)):
            for summary in page.get("Contents", ()):
                yield summary["Key"]


def _call(operation: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ClientError as error:
        raise DependencyError("s3", operation, _code(error)) from error
    except BotoCoreError as error:
        raise DependencyError("s3", operation, str(error)) from error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "unknown")
