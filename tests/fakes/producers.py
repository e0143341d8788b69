"""Producers over a client that keeps everything in memory."""

from fakes.kpl import TinyClient
from orderstream import (
    Producer,
    ProducerConfig,
)

WAIT = 30.0


def producer_on(client: TinyClient, **settings: object) -> Producer:
    return Producer("orders", client=client, config=ProducerConfig(**settings))
