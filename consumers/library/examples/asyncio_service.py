"""An asyncio service that consumes beside its own work, and stops both together.

``python asyncio_service.py STREAM``. Coroutines of the handler run in an event loop of the consumer's own: a
client that belongs to a loop is made there, at the first record.
"""

import asyncio
import signal
import sys
from collections import Counter

from orderstream_consumer import Consumer, ConsumerConfig, DeliveredRecord


class Service:
    """Counts the records of each key.

    Attributes:
        counts: By partition key.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    async def handle(self, record: DeliveredRecord) -> None:
        """Handle one record; other keys are handled meanwhile."""
        await asyncio.sleep(0)  # a call to a database, say
        self.counts[record.partition_key] += 1

    async def main(self, stream: str, stop: asyncio.Event) -> None:
        """Consume until ``stop``. Neither the start nor the drain blocks the service's own loop."""
        config = ConsumerConfig(lanes=32, outages=(ConnectionError,))
        consumer = Consumer("counter", stream=stream, handler=self.handle, config=config)
        consumer.start()
        try:
            await asyncio.to_thread(consumer.wait_ready, 60)
            print("ready", flush=True)
            await stop.wait()
        finally:
            await asyncio.to_thread(consumer.stop)


async def serve(stream: str) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    service, stop = Service(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.main(stream, stop)
    print(dict(service.counts), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
