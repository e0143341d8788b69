"""Changes of the stock table, as AWS puts them into Kinesis."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from orderstream_consumer.processing.record import DeliveredRecord, Position

FIXTURE = Path(__file__).parents[1] / "fixtures" / "stock_change.json"
"""One change with every field in the place where AWS has it, of an item of ours."""


def captured() -> dict[str, Any]:
    """The fixture, decoded."""
    record: dict[str, Any] = json.loads(FIXTURE.read_bytes())
    return record


def change(
    change_id: str, before: int | str | None, after: int | str | None, sku: str = "85123A"
) -> dict[str, Any]:
    """What one write did; None where there is no item. It names no version, as a write with boto3 may not."""
    record = captured()
    body = record["dynamodb"]
    for image, units in (("OldImage", before), ("NewImage", after)):
        body[image] = {"pk": {"S": sku}, "available": {"N": str(units)}}
        if units is None:
            del body[image]
    body["Keys"] = {"pk": {"S": sku}}
    record["eventName"] = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
    return record | {"eventID": change_id}


def delivered_change(record: dict[str, Any], sequence: int = 1) -> DeliveredRecord:
    return DeliveredRecord(
        shard_id="shardId-000000000000",
        position=Position(sequence),
        partition_key=f"random-{sequence}",
        data=json.dumps(record).encode(),
        approximate_arrival=dt.datetime(2010, 12, 1, tzinfo=dt.UTC),
    )
