"""``python -m orderstream_consumer.consumer.kcl_shard``: one shard of a consumer, under KCL.

MultiLangDaemon starts it with the environment of the consumer that started the daemon, in which one variable
says what to do: everything by name, as nothing else crosses the border between two processes.
"""

import json
import logging
import os
import sys

from orderstream_consumer.engines.kcl.standard_output import take_protocol


def main() -> None:
    """Process one shard until the daemon closes our input."""
    # Before any import that could print: standard output is the daemon's.
    protocol = take_protocol()

    import boto3  # noqa: PLC0415

    from orderstream_consumer.consumer.clients import client_of  # noqa: PLC0415
    from orderstream_consumer.consumer.config import ConsumerConfig  # noqa: PLC0415
    from orderstream_consumer.consumer.failures import is_queue  # noqa: PLC0415
    from orderstream_consumer.consumer.handler_delivery import HandlerDelivery  # noqa: PLC0415
    from orderstream_consumer.consumer.importable import load, loaded  # noqa: PLC0415
    from orderstream_consumer.consumer.shard_command import VARIABLE  # noqa: PLC0415
    from orderstream_consumer.engines.kcl import run_shard_process  # noqa: PLC0415
    from orderstream_consumer.store import DynamoDBStore  # noqa: PLC0415

    content = json.loads(os.environ[VARIABLE])
    sys.path += [entry for entry in content["path"] if entry not in sys.path]
    logging.basicConfig(level=content["log_level"], format="%(levelname)s %(name)s: %(message)s")
    settings = content["config"]
    settings["outages"] = tuple(load("outages", name) for name in settings["outages"])
    config = ConsumerConfig(**settings)
    session = boto3.Session()
    on_failure = content["on_failure"] or load("on_failure", content["failure_handler"])
    delivery = HandlerDelivery(
        content["application"],
        content["stream"],
        handler=loaded("handler", content["handler"]),
        batch_handler=loaded("batch_handler", content["batch_handler"]),
        on_failure=on_failure,
        config=config,
        store=DynamoDBStore(client_of(session, "dynamodb", config.region_name), str(config.table_prefix)),
        sqs=client_of(session, "sqs", config.region_name) if is_queue(on_failure) else None,
    )
    try:
        run_shard_process(
            delivery.processor,
            protocol=protocol,
            errors=sys.stderr,
            counters=delivery.tally.figures,
            failure=delivery.tally.failure,
            meter=delivery.meter,
        )
    finally:
        delivery.close()


if __name__ == "__main__":
    main()
