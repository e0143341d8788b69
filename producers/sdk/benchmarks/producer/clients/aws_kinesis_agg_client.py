"""boto3 and aws_kinesis_agg, as that library's README shows it: one aggregate a put_record."""

import os

import boto3
from aws_kinesis_agg.aggregator import RecordAggregator
from measured import measured
from workload import from_environment


def main() -> None:
    """Put everything."""
    client = boto3.client("kinesis", endpoint_url=os.environ["ENDPOINT"], region_name="us-east-1")
    work = [(data.encode(), key) for data, key in from_environment()]

    def send(aggregate) -> None:
        partition_key, hash_key, data = aggregate.get_contents()
        explicit = {} if hash_key is None else {"ExplicitHashKey": hash_key}
        client.put_record(StreamName="orders", Data=data, PartitionKey=partition_key, **explicit)

    aggregator = RecordAggregator()
    with measured():
        for data, key in work:
            if full := aggregator.add_user_record(key, data):
                send(full)
        send(aggregator.clear_and_get())


main()
