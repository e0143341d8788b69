"""The asyncio face, over a client that keeps everything in memory."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from fakes.kpl import TinyClient, client_error
from orderstream import (
    AsyncProducer,
    BufferFullError,
    Delivered,
    DeliveryFailedError,
    ForeignLoopError,
    ProducerClosedError,
    ProducerConfig,
    UnsentRecordsError,
    UserRecord,
)

T = TypeVar("T")
WAIT = 30.0
SMALL = {
    "record_max_bytes": 300_000,
    "buffered_bytes": 300_000,
    "bytes_per_second_per_shard": 1e9,
}


def producer_on(client: TinyClient, **settings: object) -> AsyncProducer:
    return AsyncProducer("orders", client=client, config=ProducerConfig(**settings))


async def soon(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, WAIT)


def test_put_waits_for_the_delivery_and_put_nowait_for_nothing() -> None:
    """Both lead to the same outcome; the handle of the second may be awaited, twice if need be."""
    client = TinyClient()

    async def run() -> None:
        async with producer_on(client) as producer:
            assert isinstance(await soon(producer.put(b"1", "key")), Delivered)
            delivery = producer.put_nowait(b"2", "key")
            assert await soon(delivery) == await soon(delivery) == delivery.result()
            assert await producer.flush(WAIT) == 0

    asyncio.run(run())
    assert client.payloads == [b"1", b"2"]


def test_thousands_may_wait_at_once() -> None:
    """Each waiter goes on with its own outcome."""
    client = TinyClient(shards=4)

    async def run() -> set[Delivered]:
        async with producer_on(client) as producer:
            puts = (producer.put(b"%d" % number, f"key-{number % 50}") for number in range(3000))
            return set(await soon(asyncio.gather(*puts)))

    assert len(asyncio.run(run())) == 3000
    for key in range(50):
        mine = [int(data) for data in client.payloads if int(data) % 50 == key]
        assert mine == sorted(mine)


def test_a_failed_delivery_is_raised_where_it_is_awaited() -> None:
    """As the result of a handle would."""
    client = TinyClient()
    client.failures = [client_error("AccessDeniedException")]

    async def run() -> None:
        async with producer_on(client) as producer:
            with pytest.raises(DeliveryFailedError, match="AccessDenied"):
                await soon(producer.put(b"data", "key"))

    asyncio.run(run())


def test_a_full_buffer_is_awaited_in_turn() -> None:
    """The loop goes on meanwhile, nothing is lost, and whoever came first goes first."""
    client = TinyClient()

    async def run() -> None:
        async with producer_on(client, **SMALL) as producer:
            client.gate.clear()
            puts = [
                asyncio.create_task(producer.put(b"%d " % number + bytes(100_000), "key"))
                for number in range(10)
            ]
            await asyncio.sleep(0)
            assert not any(put.done() for put in puts)
            with pytest.raises(BufferFullError):
                producer.put_nowait(bytes(200_000), "key")
            client.gate.set()
            await soon(asyncio.gather(*puts))

    asyncio.run(run())
    assert [int(data.split()[0]) for data in client.payloads] == list(range(10))


def test_a_second_event_loop_is_refused_with_what_to_do() -> None:
    """Where its records would have to queue behind those of another loop; nothing hangs or is lost."""
    client = TinyClient()

    async def elsewhere(producer: AsyncProducer) -> None:
        await producer.put(bytes(200_000), "key")

    async def run() -> None:
        async with producer_on(client, **SMALL) as producer:
            client.gate.clear()
            puts = [asyncio.create_task(producer.put(bytes(100_000), "key")) for _ in range(5)]
            await asyncio.sleep(0)
            with pytest.raises(ForeignLoopError, match="one for each loop"):
                await asyncio.to_thread(asyncio.run, elsewhere(producer))
            client.gate.set()
            await soon(asyncio.gather(*puts))

    asyncio.run(run())
    assert len(client.payloads) == 5


def test_a_full_buffer_raises_if_configured() -> None:
    """Back-pressure as an error instead of a wait."""
    client = TinyClient()

    async def run() -> None:
        async with producer_on(client, **SMALL, when_full="raise") as producer:
            client.gate.clear()
            await producer.enqueue(bytes(200_000), "key")
            with pytest.raises(BufferFullError):
                await producer.enqueue(bytes(200_000), "key")
            client.gate.set()

    asyncio.run(run())


def test_closing_wakes_who_waits_for_room() -> None:
    """They learn that the producer is closed; what was not sent comes back."""
    client = TinyClient()

    async def run() -> None:
        producer = producer_on(client, **SMALL)
        client.gate.clear()
        await producer.enqueue(bytes(200_000), "key")
        waiting = asyncio.create_task(producer.enqueue(bytes(200_000), "key"))
        await asyncio.sleep(0)
        assert await producer.close(0.0) == (UserRecord("key", bytes(200_000)),)
        client.gate.set()
        with pytest.raises(ProducerClosedError):
            await soon(waiting)

    asyncio.run(run())


def test_a_cancelled_put_leaves_the_record_on_its_way() -> None:
    """Nobody waits any more, and it is delivered all the same."""
    client = TinyClient()

    async def run() -> None:
        async with producer_on(client) as producer:
            client.gate.clear()
            put = asyncio.create_task(producer.put(b"data", "key"))
            await asyncio.sleep(0)
            put.cancel()
            with pytest.raises(asyncio.CancelledError):
                await put
            client.gate.set()

    asyncio.run(run())
    assert client.payloads == [b"data"]


def test_leaving_the_block_with_records_unsent_is_an_error() -> None:
    """As with the other face."""
    client = TinyClient()
    client.gate.clear()

    async def run() -> None:
        async with producer_on(client, close_timeout=0.0) as producer:
            producer.put_nowait(b"data", "key")

    with pytest.raises(UnsentRecordsError):
        asyncio.run(run())
    client.gate.set()


def test_a_loop_that_is_gone_disturbs_nobody() -> None:
    """A delivery awaited in a loop that ended meanwhile is completed for all others."""
    client = TinyClient()
    producer = producer_on(client)
    client.gate.clear()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(producer.put(b"data", "key"), 0.0)
        asyncio.get_running_loop().create_task(producer.put(b"more", "key"))
        await asyncio.sleep(0)

    asyncio.run(run())
    client.gate.set()
    assert asyncio.run(producer.close(WAIT)) == ()
    assert client.payloads[-1] == b"more"


def test_loops_come_and_go_without_a_trace() -> None:
    """Who runs a loop for each task keeps none of them in memory."""
    client = TinyClient()
    producer = producer_on(client)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def run() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await soon(producer.put(b"data", "key"))

    for _ in range(3):
        asyncio.run(run())
    assert asyncio.run(producer.close(WAIT)) == ()
    gc.collect()
    assert [loop() for loop in loops] == [None] * 3
