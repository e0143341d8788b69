"""``orderstream worker``: a stream consumer."""

import os
from typing import get_args

import click

from orderstream_consumer.engines.config import Engine
from orderstream_workers.cli.applications import ApplicationCommand, known
from orderstream_workers.cli.processes.stopping import stop_on_signals
from orderstream_workers.runtime.bootstrap import run_worker
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings


@click.command(
    cls=ApplicationCommand,
    short_help="Process a stream for one application until SIGTERM.",
)
@click.argument("application")
@click.option(
    "--engine",
    type=click.Choice(get_args(Engine)),
    help="What it runs on.  [env var: ORDERSTREAM_ENGINE; default: embedded]",
)
@click.option(
    "--adopt-new-stream",
    is_flag=True,
    help="The stream was deleted and made again, or is another one: delete the leases of the former one and "
    "begin anew. Stop every worker of the application first.",
)
def worker(application: str, engine: Engine | None, adopt_new_stream: bool) -> None:
    """Process a stream for one application until SIGTERM, then drain."""
    settings = Settings.from_environment()
    if engine is not None:
        # The processes that Amazon's KCL starts read their settings from the environment as well.
        os.environ["ORDERSTREAM_ENGINE"] = engine
        settings = Settings.from_environment()
    known(application, settings)
    configure_logging(settings.log_level, application)
    settings.warn_of_unknown()
    stop = stop_on_signals()
    with Resources(settings) as resources:
        run_worker(application, resources, stop, adopt_new_stream=adopt_new_stream)
