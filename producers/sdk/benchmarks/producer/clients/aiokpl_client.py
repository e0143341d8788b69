"""aiokpl's asyncio producer."""

import asyncio
import os

from aiokpl import Config, Producer
from measured import measured
from workload import from_environment


async def main() -> None:
    """Put everything and flush."""
    work = [(data.encode(), key) for data, key in from_environment()]
    config = Config(
        region="us-east-1",
        endpoint_url=os.environ["ENDPOINT"],
        rate_limit_records_per_sec_per_shard=1e6,
        rate_limit_bytes_per_sec_per_shard=1e9,
    )
    async with Producer(config) as producer:
        with measured():
            outcomes = [
                await producer.put_record(stream="orders", partition_key=key, data=data) for data, key in work
            ]
            await producer.flush()
            for outcome in outcomes:
                await outcome.wait()


asyncio.run(main())
