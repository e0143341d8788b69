"""Plays one order against a running LocalStack, and checks its end: ``python -m localstack.smoke``.

It needs the pipeline of ``docker-compose.localstack.yml``. Everything is asked from outside: the API as a
caller does, AWS through LocalStack's own client, which reads ``LOCALSTACK_HOST`` or ``AWS_ENDPOINT_URL``.
"""

import argparse
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from localstack_client.config import get_service_endpoint
from localstack_client.session import Session

SKU, RECEIVED, ORDERED = "SMOKE", 5, 2
_SECONDS = 120.0


class SmokeError(Exception):
    """What was to come did not."""


def until(
    what: str,
    look: Callable[[], Any],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Look until there is something to see.

    Args:
        what: Is waited for.
        look: Gives what there is, something false while it is not there yet.
        clock: Gives the time, in seconds.
        sleep: Passes the time between two looks.

    Raises:
        SmokeError: it does not come.
    """
    deadline = clock() + _SECONDS
    while not (found := look()):
        if clock() > deadline:
            raise SmokeError(f"no {what} within {_SECONDS:g} seconds")
        sleep(0.5)
    return found


class Pipeline:
    """The pipeline, from outside.

    Args:
        api: URL of the orders API.
        secret: What the API's gateway says.
    """

    def __init__(self, api: str, secret: str) -> None:
        headers = {"X-Gateway-Secret": secret, "X-Caller": "smoke"}
        self._api = httpx.Client(base_url=api, headers=headers, timeout=20, trust_env=False)
        self._session = Session()

    def receive_stock(self) -> None:
        """Have goods arrive, as a person does."""
        variables = {"AWS_ENDPOINT_URL": get_service_endpoint("dynamodb") or "", "AWS_REGION": "us-east-1"}
        variables |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        command = [str(Path(sys.executable).with_name("orderstream")), "stock", "receive", SKU, str(RECEIVED)]
        command += ["--reason", "smoke", "--aws"]
        received = subprocess.run(
            command, env=os.environ | variables, check=False, capture_output=True, text=True
        )
        if received.returncode:
            raise SmokeError(f"no stock can be received: {received.stderr.strip()}")

    def available(self) -> int:
        """Units of the SKU that nobody has reserved."""
        return int(self._item("stock", SKU).get("available", {"N": "0"})["N"])

    def place(self, key: str) -> str:
        """Place an order; its id."""
        line = {"sku": SKU, "quantity": ORDERED, "unit_price": "2.50", "description": "smoke"}
        order = {"currency": "GBP", "customer": {"email": "smoke@example.com"}, "lines": [line]}
        response = self._api.post("/orders", json=order, headers={"Idempotency-Key": key})
        if response.status_code != httpx.codes.ACCEPTED:
            raise SmokeError(f"the order was not accepted: {response.status_code} {response.text}")
        return str(response.json()["order_id"])

    def end_of(self, order_id: str) -> str | None:
        """The state that an order has ended in; None while it is under way."""
        response = self._api.get(f"/orders/{order_id}")
        state = response.json().get("state") if response.is_success else None
        return state if state in {"CONFIRMED", "CANCELLED"} else None

    def is_shipped(self, order_id: str) -> bool:
        """Whether there is a shipment of it."""
        return bool(self._item("shipments", order_id))

    def is_paid(self, order_id: str) -> bool:
        """Whether there is a payment of it."""
        return bool(self._item("payments", order_id))

    def dead_payments(self) -> int:
        """Payments that were given up."""
        sqs = self._session.client("sqs")
        url = sqs.get_queue_url(QueueName="orderstream-payments-dlq")["QueueUrl"]
        counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(counted["Attributes"]["ApproximateNumberOfMessages"])

    def shards(self) -> int:
        """Open shards of the orders."""
        described = self._session.client("kinesis").describe_stream_summary(StreamName="orders")
        return int(described["StreamDescriptionSummary"]["OpenShardCount"])

    def _item(self, table: str, key: str) -> Mapping[str, Any]:
        dynamodb = self._session.client("dynamodb")
        found = dynamodb.get_item(
            TableName=f"orderstream-{table}", Key={"pk": {"S": key}}, ConsistentRead=True
        )
        item: Mapping[str, Any] = found.get("Item", {})
        return item


def play(pipeline: Pipeline) -> str:
    """Play one order.

    Returns:
        What came of it, in a sentence.

    Raises:
        SmokeError: it did not end as it has to.
    """
    pipeline.receive_stock()
    before, dead = pipeline.available(), pipeline.dead_payments()
    order_id = pipeline.place(f"smoke-{uuid.uuid4()}")
    end = until(f"end of order {order_id}", lambda: pipeline.end_of(order_id))
    facts = {
        "it is confirmed": end == "CONFIRMED",
        "its units are taken": pipeline.available() == before - ORDERED,
        "it is paid": pipeline.is_paid(order_id),
        "it is shipped": pipeline.is_shipped(order_id),
        "no payment was given up": pipeline.dead_payments() == dead,
    }
    if wrong := [fact for fact, holds in facts.items() if not holds]:
        raise SmokeError(
            f"order {order_id} ended as {end}, and it does not hold that {', that '.join(wrong)}"
        )
    return f"order {order_id} through {pipeline.shards()} shards: {', '.join(facts)}"


def main() -> int:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description="Play one order against a running LocalStack.")
    parser.add_argument("--api", default="http://127.0.0.1:8080", help="URL of the orders API")
    default = "the-secret-of-this-machine-s-gateway"
    secret = os.environ.get("ORDERSTREAM_GATEWAY_SECRETS", default).split(",")[0]
    try:
        print(play(Pipeline(parser.parse_args().api, secret)))
    except (SmokeError, httpx.HTTPError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
