"""``orderstream api``, ``worker`` and ``payment-worker``: the processes of the pipeline, one each."""

import os
import signal
import threading
from typing import get_args

import click

from orderstream_workers.runtime.bootstrap import APPLICATIONS, run_worker
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.payment_worker import run_payment_worker
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Engine, Settings
from orderstream_workers.runtime.web import serve_api


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=24573, show_default=True)
def api(host: str, port: int) -> None:
    """Serve the orders API, and order status beside it."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, "api")
    with Resources(settings) as resources:
        serve_api(resources, host, port)


@click.command()
@click.argument("application", type=click.Choice(APPLICATIONS))
@click.option(
    "--engine",
    type=click.Choice(get_args(Engine)),
    help="What it runs on.  [env var: ORDERSTREAM_ENGINE; default: embedded]",
)
def worker(application: str, engine: Engine | None) -> None:
    """Process the stream for one application until SIGTERM, then drain."""
    settings = Settings.from_environment()
    if engine is not None:
        # The processes that Amazon's KCL starts read their settings from the environment as well.
        os.environ["ORDERSTREAM_ENGINE"] = engine
        settings = Settings.from_environment()
    configure_logging(settings.log_level, application)
    stop = _stop_on_signals()
    with Resources(settings) as resources:
        run_worker(application, resources, stop)


@click.command()
def payment_worker() -> None:
    """Take payments from their queue to the provider until SIGTERM, then finish what is in hand."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, "payment-worker")
    stop = _stop_on_signals()
    with Resources(settings) as resources:
        run_payment_worker(resources, stop)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
