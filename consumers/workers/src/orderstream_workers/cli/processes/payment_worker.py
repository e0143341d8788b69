"""``orderstream payment-worker``: takes payments to the provider."""

import click

from orderstream_workers.cli.processes.stopping import stop_on_signals
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.payment_worker import run_payment_worker
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings


@click.command(short_help="Take payments to the provider until SIGTERM.")
def payment_worker() -> None:
    """Take payments from their queue to the provider until SIGTERM, then finish what is in hand."""
    settings = Settings.from_environment()
    configure_logging(settings.log_level, "payment-worker")
    settings.warn_of_unknown()
    stop = stop_on_signals()
    with Resources(settings, "payment-worker") as resources:
        run_payment_worker(resources, stop)
