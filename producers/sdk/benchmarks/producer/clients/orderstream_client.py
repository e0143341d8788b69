"""This project's producer, its defaults except for the shards' limits: the sink has none."""

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
            for data, key in work[1:]:
                producer.put(data, key)
            if producer.flush(600):
                raise SystemExit("records are left")


main()
