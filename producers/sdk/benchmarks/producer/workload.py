"""The records that every producer under measurement puts: the same in each run, in this order.

A payload begins with its number, so that a sink knows what was put from what arrives.
"""

import os
from random import Random

DIGITS = 12


def records(number: int, size: int, keys: int = 10_000) -> list[tuple[str, str]]:
    """Return payloads, ASCII text of ``size`` bytes, and their partition keys."""
    random = Random(1)
    names = partition_keys(keys)
    filler = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))
    return [(f"{index:0{DIGITS}d}{filler[: size - DIGITS]}", key_of(index, names)) for index in range(number)]


def partition_keys(keys: int = 10_000) -> list[str]:
    """Return all partition keys."""
    random = Random(2)
    return [f"order-{random.getrandbits(48):012x}" for _ in range(keys)]


def from_environment() -> list[tuple[str, str]]:
    """Return the records that the run asks this process for."""
    return records(int(os.environ["RECORDS"]), int(os.environ["SIZE"]))


def key_of(index: int, names: list[str]) -> str:
    """Return the partition key of a record by its number, given all partition keys."""
    return names[index * 7919 % len(names)]
