"""``orderstream order``: what happened to one order."""

import os
import sys
from pathlib import Path

import click

from orderstream_workers.cli.options import home_option
from orderstream_workers.local.environment import Layout
from orderstream_workers.local.errors import LocalEnvironmentError
from orderstream_workers.local.lifecycle import read_state
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.services.order_status import ReadModel, open_engine, render_story


@click.group()
def order() -> None:
    """Look at orders."""


@order.command()
@click.argument("order_id")
@home_option
def show(order_id: str, home: Path) -> None:
    """Tell one order's story: every message in order, with its owner, its time, and its effect."""
    state = read_state(home)
    if state is None and "ORDERSTREAM_READ_MODEL_URL" not in os.environ:
        raise LocalEnvironmentError(
            f"no environment is up in {home}; start one with `orderstream local up`, "
            "or name a read model in ORDERSTREAM_READ_MODEL_URL"
        )
    settings = Layout(home, state.options).settings if state else Settings.from_environment()
    engine = open_engine(settings.read_model_url)
    try:
        found = ReadModel(engine).order(order_id)
    finally:
        engine.dispose()
    if found is None:
        click.echo(f"order status knows no order {order_id}; it may not have seen it yet", err=True)
        sys.exit(1)
    click.echo(render_story(found))
