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
        units: What AWS bills for one order, by the names of ``orderstream.aws.billing.UNITS``: by the sizes
            of items, records and messages, with what transactions double; bytes of log lines, too.
        per_line: How many more of each unit one further line takes, as ``make cost`` has counted it.
        stated_units: Write and read units of DynamoDB as the service itself stated them in the same run.
        write_units: Its write units by table.
        read_units: Its read units by table.
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
    units: dict[str, float]
    per_line: dict[str, float]
    stated_units: dict[str, float]
    write_units: dict[str, float]
    read_units: dict[str, float]
    stored_bytes: float
    idle_calls_per_second: IdleCalls
    schema: str = "shard-sizing/calls-per-order/3"

    @property
    def captured_changes(self) -> float:
        """Changes of the stock table for one order, which are captured into a stream."""
        return self.units["dynamodb_capture"]

    @property
    def lines(self) -> float:
        """Lines of a counted order: each changes its SKU's stock twice, held and then sold or given back."""
        return self.captured_changes / _CHANGES_OF_A_LINE

    def with_lines(self, lines: float) -> "OrderCalls":
        """Return the counts of orders with so many lines.

        Each line moves its SKU's stock twice, and the order's items and messages are so much larger. Calls
        and bytes are left as they were counted.
        """
        more = lines - self.lines
        units = {
            name: max(0.0, self.units.get(name, 0.0) + self.per_line.get(name, 0.0) * more)
            for name in self.units.keys() | self.per_line.keys()
        }
        writes = self.write_units | {STOCK: self.write_units[STOCK] * lines / self.lines}
        return msgspec.structs.replace(self, units=units, write_units=writes)

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
