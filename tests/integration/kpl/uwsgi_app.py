"""A small application whose producer is made at import, as uWSGI's master imports it before it forks."""

import os
from collections.abc import Callable, Iterable

from orderstream import ForkedProducerError, Producer, ProducerConfig

config = ProducerConfig(retry_base_delay=0.01, close_timeout=5)
producer = Producer("orders", config=config)
# Its threads rest by the time of the fork: what a thread holds in that moment, C's own locks too, is never
# given back in the child, and no Python can help that.
producer.put(b"from the master", "key").result(20)
mine: list[Producer] = []


def application(
    environ: dict[str, str], start: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Put with the parent's producer, or with one of this process."""
    if environ["PATH_INFO"] == "/parents":
        try:
            producer.put(b"data", "key")
        except ForkedProducerError as error:
            start("409 Conflict", [])
            return [str(error).encode()]
    if not mine:
        mine.append(Producer("orders", config=config))
    mine[0].put(b"from a worker", "key").result(20)
    start("200 OK", [])
    return [str(os.getpid()).encode()]
