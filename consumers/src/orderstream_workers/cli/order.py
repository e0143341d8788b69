"""``orderstream order``: what happened to one order."""

import os

import click
from sqlalchemy.exc import SQLAlchemyError

from orderstream_workers.cli.layout import printable, wrapped
from orderstream_workers.cli.operating import NotDoneError
from orderstream_workers.cli.target import TargetChoice, TargetError, choose, target_options
from orderstream_workers.services.order_status import (
    ReadModel,
    ReadModelError,
    open_to_read,
    render_story,
    shown_url,
)

_STORY_HANG = 13
"""A story's line begins with its time, eleven columns wide."""


@click.group()
def order() -> None:
    """Look at orders."""


@order.command(short_help="Tell one order's story, message by message.")
@click.argument("order_id")
@target_options
def show(order_id: str, target: TargetChoice) -> None:
    """Tell one order's story: every message in order, with its owner, its time, and its effect.

    It is read from the database that ORDERSTREAM_READ_MODEL_URL names, or from the local environment's.
    """
    chosen = choose(target, os.environ, also="ORDERSTREAM_READ_MODEL_URL")
    if chosen.kind == "aws" and not os.environ.get("ORDERSTREAM_READ_MODEL_URL"):
        raise TargetError(
            "no read model is named; set ORDERSTREAM_READ_MODEL_URL to the database that order status writes"
        )
    url = chosen.enter().read_model_url
    shown = shown_url(url)
    click.echo(wrapped(f"on the read model {shown}"), err=True)
    engine = open_to_read(url)
    try:
        found = ReadModel(engine).order(order_id)
    except SQLAlchemyError as error:
        # Its text goes on with the statement, and a link.
        raise ReadModelError(shown, str(error).partition("\n")[0]) from error
    finally:
        engine.dispose()
    if found is None:
        raise NotDoneError(f"order status knows no order {printable(order_id)}; it may not have seen it yet")
    click.echo(wrapped(render_story(found), hang=_STORY_HANG))
