"""``orderstream worker``: a stream consumer."""

import os
from typing import get_args

import click

from orderstream_consumer.engines.config import Engine
from orderstream_workers.cli.applications import ApplicationCommand, known
from orderstream_workers.cli.processes.stopping import stop_on_signals
from orderstream_workers.runtime.all_applications.run import run_all
from orderstream_workers.runtime.bootstrap import run_worker
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings


@click.command(
    cls=ApplicationCommand,
    short_help="Process a stream for one application until SIGTERM.",
)
@click.argument("application", required=False)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Run every application in this process, on the embedded engine. One that fails is started again, "
    "and the others go on.",
)
@click.option(
    "--engine",
    type=click.Choice(get_args(Engine)),
    help="What it runs on.  [env var: ORDERSTREAM_ENGINE; default: embedded]",
)
@click.option(
    "--adopt-new-stream",
    is_flag=True,
    help="The stream was deleted and recreated, or is another one: delete the leases of the former one and "
    "begin at the initial position. Stop every worker of the application first.",
)
def worker(application: str | None, every: bool, engine: Engine | None, adopt_new_stream: bool) -> None:
    """Process a stream for one application, or for all of them, until SIGTERM, then drain."""
    if every == (application is not None):
        raise click.UsageError("name one application, or say --all")
    settings = Settings.from_environment()
    if engine is not None:
        # The processes that Amazon's KCL starts read their settings from the environment as well.
        os.environ["ORDERSTREAM_ENGINE"] = engine
        settings = Settings.from_environment()
    if application is None:
        if settings.engine != "embedded":
            raise click.UsageError("--all runs on the embedded engine: Amazon's KCL starts a Java for each")
        if adopt_new_stream:
            raise click.UsageError("--adopt-new-stream is for one application: name it")
        configure_logging(settings.log_level, "all")
        settings.warn_of_unknown()
        run_all(settings, stop_on_signals())
        return
    known(application, settings)
    configure_logging(settings.log_level, application)
    settings.warn_of_unknown()
    stop = stop_on_signals()
    with Resources(settings, application) as resources:
        run_worker(application, resources, stop, adopt_new_stream=adopt_new_stream)
