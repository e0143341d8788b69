"""The store in memory behind the simulated network, as one simulated process sees it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from fakes.engine_world.network import Network
from orderstream.errors import DependencyError
from orderstream_consumer.delivery import PARKING
from orderstream_consumer.engines.stream_identity import CONSUMED_STREAMS
from orderstream_consumer.processing.record import Position
from orderstream_consumer.store import ContentionError, Item, Put, Write
from orderstream_consumer.testing import MemoryStore

_T = TypeVar("_T")
_REFUSALS = ("InternalServerError", "ThrottlingException", "TransactionConflict")


class ParkingStore:
    """Implements the part of ``Store`` that parking and the stream's identity use.

    Args:
        memory: What is stored; shared by all processes.
        network: The way there.
        parked: Called of each record that is parked: its key and its position.
        noted: Called when the application's stream is noted: when that was created.
    """

    def __init__(
        self,
        memory: MemoryStore,
        network: Network,
        parked: Callable[[str, Position], None],
        noted: Callable[[str], None],
    ) -> None:
        self._memory = memory
        self._network = network
        self._parked = parked
        self._noted = noted

    def get(self, table: str, key: str, sort: str | None = None) -> Item | None:
        return self._call(lambda: self._memory.get(table, key, sort), "GetItem")

    def query(self, table: str, key: str, *, sort_up_to: str | None = None, limit: int = 100) -> list[Item]:
        return self._call(lambda: self._memory.query(table, key, sort_up_to=sort_up_to, limit=limit), "Query")

    def transact(self, writes: Sequence[Write]) -> None:
        def act() -> None:
            self._memory.transact(writes)
            for write in writes:
                if isinstance(write, Put) and write.table == CONSUMED_STREAMS.name:
                    self._noted(str(write.attributes["created_at"]))
                if isinstance(write, Put) and write.table == PARKING.name and "/" in write.key:
                    number, sub, _ = str(write.sort).split("/")
                    self._parked(write.key.partition("/")[2], Position(int(number), int(sub)))

        self._call(act, "TransactWriteItems")

    def _call(self, act: Callable[[], _T], operation: str) -> _T:
        try:
            return self._network.call(act, _REFUSALS, operation)
        except ClientError as error:
            if error.response["Error"]["Code"] == "TransactionConflict":
                raise ContentionError(operation) from error
            raise DependencyError("store", operation, str(error)) from error
        except BotoCoreError as error:
            raise DependencyError("store", operation, str(error)) from error
