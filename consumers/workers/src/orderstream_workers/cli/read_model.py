"""``orderstream read-model``: the database of order status."""

import os

import click

from orderstream_workers.cli.layout import wrapped
from orderstream_workers.cli.target import TargetChoice, choose, target_options
from orderstream_workers.projections.order_status import shown_url
from orderstream_workers.runtime.read_model import migrate_read_model
from orderstream_workers.runtime.resources import Resources


@click.group("read-model")
def read_model() -> None:
    """Look after the database of order status."""


@read_model.command(short_help="Bring its tables into the form that this version needs.")
@target_options
def migrate(target: TargetChoice) -> None:
    """Bring the tables of order status into the form that this version needs.

    It works on the database that ORDERSTREAM_READ_MODEL_URL names, or on the local environment's, in one
    transaction. Run it before the workers of a new version start: the former version goes on working
    meanwhile. Several may run at once; one does it.
    """
    settings = choose(target, os.environ, also="ORDERSTREAM_READ_MODEL_URL").enter()
    click.echo(wrapped(f"on the read model {shown_url(settings.read_model_url)}"), err=True)
    with Resources(settings) as resources:
        before, after = migrate_read_model(resources)
    if before == after:
        click.echo(f"it is at step {after} already: nothing to do")
    else:
        found = "had no tables" if before is None else f"was at step {before}"
        click.echo(f"it {found}, and is at step {after} now")
