"""One suite for every object store."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from fakes.moto_aws import moto_client
from fakes.object_store import MemoryObjectStore
from orderstream.errors import DependencyError
from orderstream_workers.services.archiver import ObjectStore, S3ObjectStore


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """Each implementation in turn."""
    if request.param == "memory":
        yield MemoryObjectStore()
        return
    with mock_aws():
        client = moto_client("s3")
        client.create_bucket(Bucket="archive")
        yield S3ObjectStore(client, "archive")
        client.close()


def test_the_first_of_a_name_wins(objects: ObjectStore) -> None:
    """A second put changes neither content nor metadata, and says so."""
    assert objects.put_if_absent("a/1", b"first", {"to": "1-0"})
    assert not objects.put_if_absent("a/1", b"second", {"to": "2-0"})
    assert objects.read("a/1") == b"first"
    assert objects.metadata("a/1") == {"to": "1-0"}


def test_an_empty_text_is_metadata_too(objects: ObjectStore) -> None:
    """The first object of a shard has no position before it."""
    objects.put_if_absent("a/1", b"", {"previous": ""})
    assert objects.metadata("a/1").get("previous", "") == ""


def test_names_are_listed_in_order(objects: ObjectStore) -> None:
    """Listing is by prefix and sorted."""
    for key in ("b/2", "a/10", "b/1"):
        objects.put_if_absent(key, b"", {})
    assert list(objects.names()) == ["a/10", "b/1", "b/2"]
    assert list(objects.names("b/")) == ["b/1", "b/2"]


@pytest.mark.parametrize(
    ("key", "metadata"),
    [
        ("", {}),
        ("k" * 1_025, {}),
        ("\u00e9" * 513, {}),
        ("k", {"a": "\u00e9"}),
        ("k", {"a": "two\nlines"}),
        ("k", {"a": " cut"}),
        ("k", {"Upper": "x"}),
        ("k", {"a": "x" * 2_048}),
    ],
)
def test_what_s3_refuses_is_refused(objects: ObjectStore, key: str, metadata: dict[str, str]) -> None:
    """A name or metadata that S3 does not take, or would give back otherwise, are mistakes of the caller."""
    with pytest.raises(ValueError, match=r"name|metadata"):
        objects.put_if_absent(key, b"", metadata)
    assert list(objects.names()) == []


def test_what_s3_just_takes_is_taken(objects: ObjectStore) -> None:
    """A name of 1,024 bytes, and 2,048 bytes of metadata."""
    metadata = {"a": "x" * 2_047}
    assert objects.put_if_absent("k" * 1_024, b"", metadata)
    assert objects.metadata("k" * 1_024) == metadata


def test_a_failing_bucket_is_a_dependency() -> None:
    """Whatever S3 refuses but the condition is no response."""
    with mock_aws():
        client = moto_client("s3")
        objects = S3ObjectStore(client, "missing")
        with pytest.raises(DependencyError, match="NoSuchBucket"):
            objects.put_if_absent("a", b"", {})
        with pytest.raises(DependencyError, match="HeadObject"):
            objects.metadata("a")
        with pytest.raises(DependencyError, match="ListObjectsV2"):
            list(objects.names())
        client.close()


def test_folders_are_listed_once_each(objects: ObjectStore) -> None:
    """What stands before the first slash, sorted; names without one are in no folder."""
    for key in ("b/2", "a/10", "b/x/1", "top"):
        objects.put_if_absent(key, b"", {})
    assert list(objects.folders()) == ["a/", "b/"]
