"""One shard as AWS documents it, record by record.

The simulation in this folder shares no code with the sizing tool. It is written from these pages of
docs.aws.amazon.com:

- streams/latest/dev/service-sizes-and-limits.html: a shard takes 1 MB and 1,000 records a second.
- kinesis/latest/APIReference/API_PutRecordsRequestEntry.html: the MD5 of the partition key is a number of
  128 bits, and the shard whose range holds it takes the record. The key counts as part of the record, which
  has 10 MiB at most.
- kinesis/latest/APIReference/API_CreateStream.html: a stream takes records of up to 1 MiB unless that is
  raised.
- streams/latest/dev/large-records.html: a stream accepts a record beyond what a shard sustains by a burst,
  as from a tank that refills at a steady rate. An earlier text of the page gives the tank 10 MiB.
- streams/latest/dev/troubleshooting-producers.html: PutRecord counts each record rounded up to a kilobyte,
  PutRecords the sum of a call. This is a shard that is written to by PutRecords.

None of them says how a second is counted, so there are several readings.
"""

from collections.abc import Callable
from hashlib import md5
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

RECORDS: Final = 1_000
BYTES: Final = 1_000_000
MIB: Final = 2**20
TANK: Final = 10 * MIB
"""What the bucket of bytes holds by AWS' page on large records."""

HASH_KEYS: Final = 2**128

Shard = Callable[[float, int], bool]
"""Takes a record's time (seconds, never going back) and size (bytes); returns whether it is accepted."""


def hash_key(partition_key: str) -> int:
    """Return where a partition key lies in the hash space."""
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest(), "big")


def counted(size: Ints) -> Ints:
    """Return what counts of records: one of 1 MiB, which each shard takes, is a second's whole megabyte."""
    return np.where((size > BYTES) & (size <= MIB), BYTES, size)


def fixed_window() -> Shard:
    """Return a shard that counts each second of the clock by itself."""
    now, records, volume = -1, 0, 0

    def put(at: float, size: int) -> bool:
        nonlocal now, records, volume
        if int(at) != now:
            now, records, volume = int(at), 0, 0
        if records + 1 > RECORDS or volume + size > BYTES:
            return False
        records, volume = records + 1, volume + size
        return True

    return put


def token_bucket(byte_burst: int = BYTES) -> Shard:
    """Return a shard with two buckets, of records and of bytes, that refill steadily at the limit.

    Args:
        byte_burst: How much the bucket of bytes holds: a second's worth, or ``TANK``.
    """
    then, records, volume = 0.0, float(RECORDS), float(byte_burst)

    def put(at: float, size: int) -> bool:
        nonlocal then, records, volume
        records = min(float(RECORDS), records + (at - then) * RECORDS)
        volume = min(float(byte_burst), volume + (at - then) * BYTES)
        then = at
        if records < 1 or volume < size:
            return False
        records, volume = records - 1, volume - size
        return True

    return put
