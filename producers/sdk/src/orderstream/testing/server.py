"""``python -m orderstream.testing.server``: the fake over HTTP/1.1 and HTTP/2, until a signal stops it.

HTTP/2 without TLS needs prior knowledge, which is what Amazon's Kinesis Client Library uses on ``http://``.
Amazon's KPL speaks TLS only: ``--certificate`` and ``--key`` are for it.
"""

import argparse
import asyncio
import signal
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from orderstream.errors import MissingExtraError
from orderstream.observability.metrics import AggregatingMeter, EmfExporter, Exporting
from orderstream.testing.asgi import KinesisApp
from orderstream.testing.fake import FakeKinesis
from orderstream.testing.measuring import NAMESPACE
from orderstream.testing.state.limits import Limits

try:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
except ModuleNotFoundError as error:
    raise MissingExtraError("testing", "served fakes") from error


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m orderstream.testing.server", description="A fake Kinesis for tests on one machine."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stream", help="create this stream")
    parser.add_argument("--shards", type=int, default=1, help="shards of that stream")
    parser.add_argument("--no-limits", action="store_true", help="keep no limits per second")
    parser.add_argument(
        "--transition-seconds",
        type=float,
        default=0.0,
        help="how long a stream is CREATING, UPDATING or DELETING after a change",
    )
    parser.add_argument("--account", default="000000000000", help="the account's number, 12 digits")
    parser.add_argument("--region", default="us-east-1", help="the region's name")
    parser.add_argument("--certificate", help="serve TLS with this certificate, as PEM")
    parser.add_argument("--key", help="the certificate's private key, as PEM")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' random rates")
    parser.add_argument(
        "--metrics-seconds",
        type=float,
        help="write CloudWatch's metrics of throttling as EMF lines on standard output, so often",
    )
    options = parser.parse_args(arguments)
    if (options.certificate is None) != (options.key is None):
        parser.error("--certificate and --key go together")
    if not (options.account.isdecimal() and len(options.account) == 12):
        parser.error(f"--account has 12 digits, not {options.account}")
    meter = AggregatingMeter()
    kinesis = FakeKinesis(
        limits=Limits(throttling=not options.no_limits),
        account=options.account,
        region=options.region,
        transition_seconds=options.transition_seconds,
        seed=options.seed,
        meter=meter,
    )
    if options.stream:
        kinesis.client().create_stream(StreamName=options.stream, ShardCount=options.shards)
    with _measured(meter, options.metrics_seconds):
        asyncio.run(_serve(kinesis, options))


def _measured(meter: AggregatingMeter, seconds: float | None) -> AbstractContextManager[object]:
    """What writes the metrics while the server runs."""
    if seconds is None:
        return nullcontext()
    return Exporting(meter, [EmfExporter(NAMESPACE, period=seconds)], tick=seconds / 6)


async def _serve(kinesis: FakeKinesis, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = Config()
    config.bind = [f"{options.host}:{options.port}"]
    config.certfile, config.keyfile = options.certificate, options.key
    config.graceful_timeout = 1.0
    # boto3 keeps its connections; one that we end is only noticed when it is used next.
    config.keep_alive_timeout = 3_600.0
    config.h2_max_concurrent_streams = 1_000
    config.errorlog = "-"
    config.loglevel = "WARNING"
    await serve(cast("Any", KinesisApp(kinesis)), config, shutdown_trigger=cast("Any", stop.wait))


if __name__ == "__main__":
    main()
