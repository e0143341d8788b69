"""A script: print each record of a stream under its key, until SIGTERM or Ctrl-C.

``python script.py STREAM``; the leases are in the DynamoDB table ``printer``.
"""

import sys

from orderstream_consumer import Consumer, DeliveredRecord


def handle(record: DeliveredRecord) -> None:
    """Print one record. Done is what returns; what raises is tried again, then parked with its key."""
    # One write: other keys are printed by other threads at the same time.
    sys.stdout.write(f"{record.partition_key}\t{record.data.decode()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Consumer("printer", stream=sys.argv[1], handler=handle).run()
