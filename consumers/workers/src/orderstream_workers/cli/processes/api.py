"""``orderstream api``: the process that takes orders."""

import click

from orderstream_workers.cli.processes.stopping import stop_on_signals
from orderstream_workers.runtime.http.web import serve_api
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=24573, show_default=True)
def api(host: str, port: int) -> None:
    """Serve the orders API, and order status beside it."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, "api")
    settings.warn_of_unknown()
    stop = stop_on_signals()
    with Resources(settings, "api") as resources:
        serve_api(resources, host, port, stop)
