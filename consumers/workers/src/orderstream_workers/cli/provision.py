"""``orderstream provision``: what the workers need, created where AWS is."""

import os

import click

from orderstream_workers.cli.layout import wrapped
from orderstream_workers.cli.target import aws_described
from orderstream_workers.runtime.provision import provision as create
from orderstream_workers.runtime.settings import Settings


@click.command(short_help="Create the streams, tables and queues that are missing.")
@click.option("--shards", type=click.IntRange(1, 64), default=4, show_default=True, help="Of a new stream.")
def provision(shards: int) -> None:
    """Create the streams, tables, queues, topic and bucket that are missing, and say so.

    For emulators and trials. Names and endpoints come from the workers' environment variables.
    """
    settings = Settings.from_environment()
    click.echo(wrapped(f"on {aws_described(settings, os.environ)}"), err=True)
    create(settings, shards)
    click.echo("everything is there")
