"""Counts what AWS bills for requests, by the application that makes them and the message that it works on."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from orderstream.aws.billing import billed
from orderstream_workers.services.inventory.stock import STOCK

_READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem"})


class Billed(NamedTuple):
    """Where a unit comes from.

    Attributes:
        application: Who made the request.
        message: The CloudEvents type of the message that it was working on; ``""`` while it polls.
        operation: Such as ``"dynamodb.PutItem reservations"``.
        unit: A name of ``UNITS``.
    """

    application: str
    message: str
    operation: str
    unit: str


class BillMeter:
    """Takes what is billed while an application works on a message; used by one message at a time.

    Args:
        prefix: Begins the names of all tables.

    Attributes:
        taken: What was billed.
        checked: How often DynamoDB stated what a write took of a table.
        differing: Where that is not what was reckoned.
    """

    def __init__(self, prefix: str) -> None:
        self.taken: Counter[Billed] = Counter()
        self.checked = 0
        self.differing: list[str] = []
        self._prefix = prefix
        self._working = ("", "")

    @contextmanager
    def working(self, application: str, message: str) -> Iterator[None]:
        """What is taken within belongs to this application and message."""
        self._working = (application, message)
        try:
            yield
        finally:
            self._working = ("", "")

    def saw(self, message: str) -> None:
        """A message came by, whatever is billed for it."""
        self.taken[Billed("", message, "", "log_byte")] += 0

    def take(self, operation: str, unit: str, amount: float) -> None:
        """Take so many of a unit."""
        self.taken[Billed(*self._working, operation, unit)] += amount  # type: ignore[assignment]

    def listen_to(self, client: Any) -> None:
        """Take everything that is billed for a client's requests."""
        client.meta.events.register("provide-client-params", self._asked)
        client.meta.events.register("after-call", self._answered)

    def _asked(self, params: Any, model: Any, context: Any, **_: Any) -> Any:
        members = model.input_shape.members if model.input_shape is not None else {}
        if "ReturnConsumedCapacity" in members:
            params = {**params, "ReturnConsumedCapacity": "TOTAL"}
        context["asked"] = params
        return params

    def _answered(self, parsed: Any, model: Any, context: Any, **_: Any) -> None:
        service, asked = model.service_model.service_name, context["asked"]
        if model.name == "ReceiveMessage" and not parsed.get("Messages"):
            return  # an empty poll is the time's, not the order's
        reckoned: Counter[str] = Counter()
        for unit, resource, amount in billed(service, model.name, asked, parsed):
            reckoned[resource] += amount  # type: ignore[assignment]
            table = resource.removeprefix(self._prefix)
            self.take(f"{service}.{model.name} {table}".rstrip(), unit, amount)
            if unit == "dynamodb_write" and table == STOCK.name and "Error" not in parsed:
                self.take("capture of stock", "dynamodb_capture", amount / 2)  # moved in transactions only
        stated = parsed.get("ConsumedCapacity", [])
        for each in stated if isinstance(stated, list) else [stated]:
            table, units = each["TableName"], each["CapacityUnits"]
            if model.name in _READS:
                continue  # the emulator states the units of a read without a look at its size
            self.checked += 1
            if units != reckoned[table]:
                self.differing.append(f"{model.name} {table}: reckoned {reckoned[table]}, stated {units}")


class LogMeter(logging.Handler):
    """Takes the bytes of each line that the pipeline logs, as its own formatter writes it.

    Args:
        meter: Takes them.
        lines: The handler that a process of the pipeline logs with.
    """

    def __init__(self, meter: BillMeter, lines: logging.Handler) -> None:
        super().__init__(lines.level)
        self._meter, self._lines = meter, lines

    def emit(self, record: logging.LogRecord) -> None:
        if self._lines.filter(record):
            size = len(self._lines.format(record).encode()) + 1
            self._meter.take("logs", "log_byte", size)
