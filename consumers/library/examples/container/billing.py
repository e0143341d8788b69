"""A consumer in a container: its settings come from the environment, its health goes to the probe.

``python -m billing``. ``STREAM`` names the stream, ``FAILED_QUEUE`` the SQS queue for records that fail.
"""

import json
import logging
import os
from collections.abc import Sequence

from orderstream_consumer import Consumer, ConsumerConfig, DeliveredRecord

logger = logging.getLogger("billing")


def bill(records: Sequence[DeliveredRecord]) -> None:
    """Bill a batch; it may come again after a crash, so what is written is keyed by position."""
    for record in records:
        amount = json.loads(record.data)["amount"]
        logger.info("billed %s %s", record.partition_key, amount)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    Consumer(
        "billing",
        stream=os.environ["STREAM"],
        batch_handler=bill,
        on_failure=os.environ.get("FAILED_QUEUE", "park"),
        config=ConsumerConfig(
            health_port=int(os.environ.get("HEALTH_PORT", "8080")),
            health_host=os.environ.get("HEALTH_HOST", "127.0.0.1"),
        ),
    ).run()
