"""This project's producer by ``put_many``, 500 records a call as boto3's client has them."""

import os

from measured import measured
from workload import from_environment

from orderstream import Producer, ProducerConfig


def main() -> None:
    """Put everything, one handle a record, and flush."""
    config = ProducerConfig(
        endpoint_url=os.environ["ENDPOINT"],
        region_name="us-east-1",
        records_per_second_per_shard=1e6,
        bytes_per_second_per_shard=1e9,
    )
    work = [(data.encode(), key) for data, key in from_environment()]
    with Producer("orders", config=config) as producer:
        producer.put(work[0][0], work[0][1]).result(30)
        with measured():
            for start in range(1, len(work), 500):
                producer.put_many(work[start : start + 500])
            if producer.flush(600):
                raise SystemExit("records are left")


main()
