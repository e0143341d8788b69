"""One user record, and the hash that selects its shard."""

import msgspec

try:
    # OpenSSL's takes twice as long to set up as it takes to hash a key; this one is CPython's own.
    from _md5 import md5  # type: ignore[import-not-found]  # typeshed leaves it out
except ImportError:  # a build of Python without it
    from hashlib import md5

MAX_HASH_KEY = 2**128 - 1
"""The highest hash key: the shards of a stream divide 0 to 2**128 - 1 among themselves (HashKeyRange)."""

MAX_PARTITION_KEY = 256
"""Kinesis API, PutRecordsRequestEntry: a partition key has 1 to 256 Unicode characters."""


def hash_key_of(partition_key: str) -> int:
    """Return the hash key that Kinesis gives a partition key: the MD5 of its UTF-8 bytes, read big-endian.

    Args:
        partition_key: The partition key of a record.

    Returns:
        A number from 0 to ``MAX_HASH_KEY``.
    """
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest(), "big")


class UserRecord(msgspec.Struct, frozen=True, gc=False):
    """One record as the application sees it, whether or not it travels inside an aggregate.

    Attributes:
        partition_key: The key whose records keep their order.
        data: The payload.
        explicit_hash_key: Overrides the hash of the partition key if given: 0 to ``MAX_HASH_KEY``.
    """

    partition_key: str
    data: bytes
    explicit_hash_key: int | None = None

    @property
    def hash_key(self) -> int:
        """Where the record belongs: its explicit hash key, else the hash of its partition key."""
        if self.explicit_hash_key is not None:
            return self.explicit_hash_key
        return hash_key_of(self.partition_key)
