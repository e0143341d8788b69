"""async-kinesis with its KPL processor, which takes no partition keys."""

import asyncio
import os

from kinesis import Producer
from kinesis.processors import KPLStringProcessor
from measured import measured
from workload import from_environment


async def main() -> None:
    """Put everything and flush."""
    work = from_environment()
    async with Producer(
        "orders",
        endpoint_url=os.environ["ENDPOINT"],
        region_name="us-east-1",
        processor=KPLStringProcessor(),
        put_rate_limit_per_shard=1_000_000,
        put_bandwidth_limit_per_shard=1_000_000,
    ) as producer:
        with measured():
            for data, _ in work:
                await producer.put(data)
            await producer.flush()


asyncio.run(main())
