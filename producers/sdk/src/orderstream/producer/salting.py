"""Spreading one hot key over several shards, at the price of its order."""

import re
from random import Random

from orderstream.producer.errors import RecordInvalidError

_random = Random()  # noqa: S311 - spreads load, hides nothing
_SALT = re.compile(r"~[0-9]+of[0-9]+\Z")


def salted(partition_key: str, ways: int) -> str:
    """Return one of ``ways`` partition keys that represent the same key, chosen at random.

    A shard takes 1 MiB a second, so a single key can carry no more; salted, it carries up to ``ways`` times
    as much. **The key's records lose their order among each other**, and consumers that keep state by key
    must bring the parts together again: they find the key with ``unsalted``.

    Args:
        partition_key: The hot key.
        ways: Over how many partition keys it is spread: 2 to 1,000. Several may fall into the same shard.

    Raises:
        RecordInvalidError: ``ways`` is out of range.
    """
    if not 2 <= ways <= 1000:
        raise RecordInvalidError("ways", "2 to 1,000")
    return sub_key(partition_key, _random.randrange(ways), ways)


def sub_key(partition_key: str, number: int, ways: int) -> str:
    """Name one of the partition keys that a hot key is spread over.

    Args:
        partition_key: The hot key.
        number: Which of them: 0 to ``ways`` - 1.
        ways: How many there are.
    """
    return f"{partition_key}~{number}of{ways}"


def unsalted(partition_key: str) -> str:
    """Return the key that was salted; any other key as it is."""
    return _SALT.sub("", partition_key)
