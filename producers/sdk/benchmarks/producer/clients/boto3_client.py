"""boto3's put_records with 500 records a call; refused records are sent again by nobody."""

import os

import boto3
from measured import measured
from workload import from_environment


def main() -> None:
    """Put everything in full requests."""
    client = boto3.client("kinesis", endpoint_url=os.environ["ENDPOINT"], region_name="us-east-1")
    work = [(data.encode(), key) for data, key in from_environment()]
    with measured():
        for start in range(0, len(work), 500):
            entries = [{"Data": data, "PartitionKey": key} for data, key in work[start : start + 500]]
            client.put_records(StreamName="orders", Records=entries)


main()
