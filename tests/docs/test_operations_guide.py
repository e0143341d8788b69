"""What the operations guide has an operator do to stock works on our tables, as DynamoDB keeps them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from fakes.operating import MemoryResources
from orderstream_consumer.store import DynamoDBStore, create_tables
from orderstream_orders.contracts import StockLine
from orderstream_workers.cli.goods.stock import stock
from orderstream_workers.services.inventory import TABLES, CorrectionRefusedError, stock_of
from orderstream_workers.services.inventory.domain import Movement
from orderstream_workers.services.inventory.stock import movements

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.fixture
def resources() -> Iterator[MemoryResources]:
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        create_tables(client, TABLES, "orderstream-")
        on_dynamodb = MemoryResources()
        on_dynamodb.store = DynamoDBStore(client, "orderstream-")
        yield on_dynamodb
        client.close()


def guided(verb: str) -> list[list[str]]:
    """The arguments of each command of the guide."""
    lines = re.findall(rf"^orderstream stock ({verb} .*)$", GUIDE, re.MULTILINE)
    assert lines
    return [shlex.split(line, comments=True) for line in lines]


def test_stock_is_received_and_corrected_as_the_guide_says(resources: MemoryResources) -> None:
    """A new SKU is opened, what is reserved meanwhile stays reserved, and a refusal names the figures."""
    (receive,) = guided("receive")
    (show,) = guided("show")
    by, counted = guided("correct")
    sku = receive[1]

    def run(arguments: list[str]) -> str:
        result = CliRunner().invoke(stock, arguments, obj=resources)
        assert result.exit_code == 0, result.exception
        return result.stdout

    run(receive)
    resources.store.transact(movements(Movement.HOLD, [StockLine(sku=sku, quantity=7)]))
    run([*receive, "--key", "note"])
    run([*receive, "--key", "note"])
    run(by)
    resources.store.transact(movements(Movement.SELL, [StockLine(sku=sku, quantity=7)]))
    level = stock_of(resources.store, sku)
    assert level is not None
    assert level.balanced
    assert (level.initial, level.sold, level.available) == (197, 7, 190)
    run(counted)
    assert "197" in run(show)
    resources.store.transact(movements(Movement.HOLD, [StockLine(sku=sku, quantity=100)]))
    refused = CliRunner().invoke(stock, ["correct", sku, "--counted", "99", "--reason", "x"], obj=resources)
    assert isinstance(refused.exception, CorrectionRefusedError)
