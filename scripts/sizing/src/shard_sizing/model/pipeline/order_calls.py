"""What one order makes the pipeline do, as it was counted in a run: a dated data file."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from shard_sizing.errors import InputError

STOCK: Final = "stock"
"""The table of the stock, one item for each SKU."""

_CHANGES_OF_A_LINE: Final = 2


class IdleCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests a second while no order comes, all processes together, by ``service.Operation``.

    Attributes:
        per_shard: Polls of shards and renewals of their leases: they grow with the shards.
        per_process: Heartbeats, rate limits, timers and queues: they grow with the processes.
    """

    per_shard: dict[str, float]
    per_process: dict[str, float]


class OrderCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one order makes the pipeline do.

    Attributes:
        date: When it was counted.
        made_by: How it was counted.
        shards: Shards of the order stream meanwhile.
        processes: Processes of the pipeline meanwhile.
        readers: Applications that read the order stream.
        orders: Orders that were played.
        milliseconds_per_order: CPU time of all processes for one order.
        calls: Requests of one order by ``service.Operation``.
        entries: Records or items in them.
        bytes: Bytes of their bodies.
        write_units: DynamoDB write units of one order by table, by the sizes of the items; transactions count
            twice.
        read_units: DynamoDB read units of one order by table, strongly consistent.
        captured_changes: Changes of the stock table for one order, which are captured into a stream.
        stored_bytes: Bytes that one order leaves in tables.
        idle_calls_per_second: What is called while no order comes.
        schema: Name and version of this format.
    """

    date: str
    made_by: str
    shards: int
    processes: int
    readers: int
    orders: int
    milliseconds_per_order: float
    calls: dict[str, float]
    entries: dict[str, float]
    bytes: dict[str, float]
    write_units: dict[str, float]
    read_units: dict[str, float]
    captured_changes: float
    stored_bytes: float
    idle_calls_per_second: IdleCalls
    schema: str = "shard-sizing/calls-per-order/2"

    @property
    def lines(self) -> float:
        """Lines of a counted order: each changes its SKU's stock twice, held and then sold or given back."""
        return self.captured_changes / _CHANGES_OF_A_LINE

    def with_lines(self, lines: float) -> "OrderCalls":
        """Return the counts of orders with so many lines: they differ in the changes of the stock.

        Messages and the items of other tables are left as large as they were counted, which is a little too
        much for fewer lines and too little for more.
        """
        times = lines / self.lines
        units = self.write_units | {STOCK: self.write_units[STOCK] * times}
        return msgspec.structs.replace(
            self, write_units=units, captured_changes=self.captured_changes * times
        )

    @property
    def records(self) -> float:
        """Kinesis records of one order."""
        return self.entries["kinesis.PutRecords"]

    @property
    def record_bytes(self) -> float:
        """Bytes of one of them: the request's body holds them in base64, four characters for three bytes."""
        return self.bytes["kinesis.PutRecords"] * 0.75 / self.records


def load_order_calls(path: Path | None = None) -> OrderCalls:
    """Read the counts of a run, by default the bundled ones.

    Raises:
        InputError: The file cannot be read, or holds something else.
    """
    source = path or files("shard_sizing.data") / "calls-per-order.json"
    try:
        return msgspec.json.decode(source.read_bytes(), type=OrderCalls)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path or "calls-per-order.json"), f"not a count of calls: {error}") from error
