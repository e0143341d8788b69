"""The handler of ``kcl_program``: the processes of KCL's shards import it."""

import sys

from orderstream_consumer import DeliveredRecord


async def handle(record: DeliveredRecord) -> None:
    """Print a record; all but the one that is called 2."""
    if record.data == b"2":
        raise ValueError("two")
    sys.stderr.write(f"handled {record.partition_key} {record.data.decode()}\n")
    sys.stderr.flush()
