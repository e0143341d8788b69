"""Archived objects in an S3 bucket."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from orderstream.aws import (
    ExpectedRefusalError,
    Refusals,
    aws_calls,
    expecting,
    given_by_service,
    no_refusals,
    required,
)
from orderstream.errors import OrderstreamError
from orderstream_workers.services.archiver.objects import check_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class PutConditionIgnoredError(OrderstreamError):
    """The object store ignores ``If-None-Match: *``: a second writer would replace objects.

    Args:
        bucket: The bucket.
        endpoint: Where it is.
    """

    def __init__(self, bucket: str, endpoint: str) -> None:
        self.bucket = bucket
        self.endpoint = endpoint
        super().__init__(
            f"the object store at {endpoint} replaced an object of the bucket {bucket} in spite of "
            "If-None-Match: *; objects of the archive must never change: use Amazon S3, or a release of this "
            "store that keeps conditional writes"
        )


class S3ObjectStore:
    """Keeps objects in a bucket, put with ``If-None-Match: *``.

    S3 look-alikes exist that ignore the condition. So until the bucket has refused a put of ours once, the
    first object that is stored is put again: that must be refused.

    Args:
        client: A boto3 S3 client, best with botocore's own retries off: callers retry.
        bucket: The bucket's name.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._keeps_condition = False

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """See ``ObjectStore.put_if_absent``.

        Raises:
            PutConditionIgnoredError: The bucket is in no store that the archive can trust.
        """
        check_object(key, metadata)
        if self._keeps_condition:
            return self._put(key, body, metadata)
        if self._is_there(key):
            return False  # nothing is put onto an object before the condition is known to hold
        stored = self._put(key, body, metadata)
        if stored and self._put(key, body, metadata):
            raise PutConditionIgnoredError(self._bucket, self._client.meta.endpoint_url)
        self._keeps_condition = True
        return stored

    def metadata(self, key: str) -> Mapping[str, str]:
        """See ``ObjectStore.metadata``."""
        with self._calls("HeadObject", key):
            response = given_by_service(self._client.head_object(Bucket=self._bucket, Key=key))
            return required(response, "Metadata", dict)

    def read(self, key: str) -> bytes:
        """See ``ObjectStore.read``."""
        with self._calls("GetObject", key):
            response = self._client.get_object(Bucket=self._bucket, Key=key)
            with response["Body"] as body:
                given_by_service(response)
                content: bytes = body.read()
                return content

    def folders(self) -> Iterator[str]:
        """See ``ObjectStore.folders``."""
        lister = self._client.get_paginator("list_objects_v2")
        for page in self._pages("", lister.paginate(Bucket=self._bucket, Delimiter="/")):
            yield from (folder["Prefix"] for folder in page.get("CommonPrefixes") or ())

    def names(self, prefix: str = "") -> Iterator[str]:
        """See ``ObjectStore.names``."""
        lister = self._client.get_paginator("list_objects_v2")
        for page in self._pages(prefix, lister.paginate(Bucket=self._bucket, Prefix=prefix)):
            yield from (found["Key"] for found in page.get("Contents") or ())

    def _pages(self, prefix: str, listed: Iterable[Any]) -> Iterator[Any]:
        pages = iter(listed)
        while True:
            with self._calls("ListObjectsV2", prefix):
                page = next(pages, None)
                if page is None:
                    return
                # A page without a count is not S3's.
                required(given_by_service(page), "KeyCount", int)
                for members, name in (("Contents", "Key"), ("CommonPrefixes", "Prefix")):
                    for member in page.get(members) or ():
                        required(member, name, str)
            yield page

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        try:
            # S3 returns 409 for one of two puts at the same time: neither stored nor there, so try again.
            with self._calls("PutObject", key, expecting("PreconditionFailed")):
                response = self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=body, Metadata=dict(metadata), IfNoneMatch="*"
                )
                required(given_by_service(response), "ETag", str)
        except ExpectedRefusalError:
            return False  # another worker was faster
        return True

    def _is_there(self, key: str) -> bool:
        try:
            # Without the right to list the bucket, S3 denies what is absent.
            with self._calls("HeadObject", key, expecting("404", "403")):
                given_by_service(self._client.head_object(Bucket=self._bucket, Key=key))
        except ExpectedRefusalError:
            return False
        return True

    def _calls(
        self, operation: str, key: str, refusals: Refusals = no_refusals
    ) -> AbstractContextManager[None]:
        return aws_calls(
            "s3",
            operation,
            client=self._client,
            resource=f"s3://{self._bucket}/{key}",
            setting="ORDERSTREAM_ARCHIVE_BUCKET",
            refusals=refusals,
        )
