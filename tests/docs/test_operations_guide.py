"""What the operations guide has an operator type into AWS' own command line works on our tables."""

import json
import re
import shlex
from pathlib import Path

import boto3
from moto import mock_aws

from orderstream.events import StockLine
from orderstream_workers.services.inventory.domain import Movement
from orderstream_workers.services.inventory.stock import STOCK, is_known, movements, read_stock
from orderstream_workers.store import DynamoDBStore, create_tables

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def options_of(command: str) -> dict[str, str]:
    """The options of an `aws` command, each with one value."""
    (line,) = re.findall(rf"^(aws {command} (?:.*\\\n)*.*)$", GUIDE, re.MULTILINE)
    words = shlex.split(line.replace("\\\n", " "))[3:]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_stock_is_received_as_the_guide_says() -> None:
    """For a new SKU and for one that has orders, and what is reserved meanwhile stays reserved."""
    options = options_of("dynamodb update-item")
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        create_tables(client, (STOCK,), "orderstream-")
        store = DynamoDBStore(client, "orderstream-")

        def receive() -> None:
            client.update_item(
                TableName=options["--table-name"],
                Key=json.loads(options["--key"]),
                UpdateExpression=options["--update-expression"],
                ExpressionAttributeValues=json.loads(options["--expression-attribute-values"]),
            )

        receive()
        (new,) = read_stock(store)
        assert new.balanced
        assert is_known(store, new.sku)
        lines = [StockLine(sku=new.sku, quantity=7)]
        store.transact(movements(Movement.HOLD, lines))
        receive()
        store.transact(movements(Movement.SELL, lines))
        (level,) = read_stock(store)
        client.close()
    assert level.balanced
    assert (level.initial, level.sold, level.reserved) == (2 * new.initial, 7, 0)
