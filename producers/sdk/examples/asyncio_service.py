"""An asyncio service: many coroutines put, each waits for its own record only.

``python asyncio_service.py STREAM``
"""

import asyncio
import sys

from orderstream import AsyncProducer, Delivered


async def take_order(producer: AsyncProducer, number: int) -> Delivered:
    """Handle one order; the response to the customer waits until Kinesis has it."""
    return await producer.put(b'{"order": %d}' % number, partition_key=f"order-{number}")


async def main(stream: str, orders: int) -> int:
    """Take some orders at once; return how many shards they went to."""
    async with AsyncProducer(stream) as producer:
        delivered = await asyncio.gather(*(take_order(producer, number) for number in range(orders)))
    return len({each.shard_id for each in delivered})


if __name__ == "__main__":
    print("orders went to", asyncio.run(main(sys.argv[1], orders=100)), "shards")
