"""``orderstream stock``: what there is of a SKU, goods that have arrived, and counts that are corrected."""

import uuid
from dataclasses import asdict
from typing import Any, Literal

import click
from msgspec import structs

from orderstream_workers.cli.layout import as_json, printable, table, wrapped
from orderstream_workers.cli.operating import operated
from orderstream_workers.cli.operator import Operator, operator_option
from orderstream_workers.cli.options import Command, json_option
from orderstream_workers.cli.target import TargetChoice, target_options
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.stock import Adjusted, Adjustment, StockLevel, adjust_stock, stock_level


@click.group(short_help="Look at stock, receive goods, correct a count.")
def stock() -> None:
    """Look at the stock of a SKU, receive goods, correct a count."""


@stock.command(short_help="Show what there is of a SKU.")
@click.argument("sku")
@json_option
@target_options
@click.pass_context
def show(context: click.Context, sku: str, target: TargetChoice, as_data: bool) -> None:
    """Show what there is of a SKU, in units.

    ON HAND is what a person counts on the shelf: available and reserved. Exit status 1 if the numbers do not
    add up, which only writes past the services can lead to.
    """
    with operated(context, target) as resources:
        level = stock_level(resources, sku)
    click.echo(as_json(_data(level)) if as_data else "\n".join(_table(level)))
    if not level.balanced:
        raise NotDoneError(
            f"the stock of {printable(sku)} does not balance: available, reserved and sold must add up to "
            "what was ever received, and none may be below 0; compare it with the reservations"
        )


def _adjusting(command: Command) -> Command:
    """What receiving and correcting have in common."""
    for option in (
        click.pass_context,
        target_options,
        json_option,
        click.option(
            "--key",
            metavar="TEXT",
            help="Your name for this call; the command does nothing when it is repeated under it.  "
            "[default: a new one, which is shown]",
        ),
        operator_option,
        click.option("--reason", required=True, help="Why, or by which delivery note; it is kept."),
    ):
        command = option(command)
    return command


@stock.command(short_help="Add goods that have arrived; the first ones open a SKU.")
@click.argument("sku")
@click.argument("units", type=int)
@_adjusting
def receive(
    context: click.Context,
    sku: str,
    units: int,
    reason: str,
    operator: Operator,
    key: str | None,
    as_data: bool,
    target: TargetChoice,
) -> None:
    """Add UNITS of a SKU that have arrived. The first ones of a SKU open its stock."""
    _adjust(
        context,
        target,
        "received",
        sku,
        units=units,
        reason=reason,
        operator=operator,
        key=key,
        as_data=as_data,
    )


@stock.command(short_help="Correct a count that was wrong.")
@click.argument("sku")
@click.option("--counted", type=int, metavar="UNITS", help="What is on the shelf, reserved units included.")
@click.option("--by", type=int, metavar="UNITS", help="The difference, such as -3 for breakage.")
@_adjusting
def correct(
    context: click.Context,
    sku: str,
    counted: int | None,
    by: int | None,
    reason: str,
    operator: Operator,
    key: str | None,
    as_data: bool,
    target: TargetChoice,
) -> None:
    """Correct the count of a SKU: by the difference, or to what was --counted.

    It is refused if fewer units would be left than are reserved for orders. What was counted is compared with
    the books at the moment of the command: where goods leave all the time, note what `stock show` says while
    you count, and give the difference.
    """
    if (counted is None) == (by is None):
        raise click.UsageError("give either --counted or --by")
    _adjust(
        context,
        target,
        "corrected",
        sku,
        units=by,
        counted=counted,
        reason=reason,
        operator=operator,
        key=key,
        as_data=as_data,
    )


def _adjust(
    context: click.Context,
    target: TargetChoice,
    kind: Literal["received", "corrected"],
    sku: str,
    *,
    units: int | None,
    counted: int | None = None,
    reason: str,
    operator: Operator,
    key: str | None,
    as_data: bool,
) -> None:
    given = key or str(uuid.uuid4())
    try:
        asked = Adjustment(
            kind=kind, sku=sku, units=units, counted=counted, operator=operator.said, reason=reason, key=given
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with operated(context, target) as resources:
        if key is None:
            # Before the call: after an interruption the operator needs the key to repeat it.
            click.echo(wrapped(f"if this is interrupted, repeat it with --key {given}"), err=True)
        done = adjust_stock(resources, structs.replace(asked, operator=operator.name(resources)))
    if as_data:
        click.echo(as_json(_done(asked, done)))
        return
    click.echo(_said(asked, done))
    if done.level is not None:
        click.echo("\n".join(_table(done.level)))


def _said(asked: Adjustment, done: Adjusted) -> str:
    sku = printable(asked.sku)
    if not done.units:
        return f"{sku}: the books have what was counted; nothing was changed"
    what = f"{done.units} received" if asked.kind == "received" else f"corrected by {done.units:+}"
    return f"{sku}: {what}" + (
        ", in an earlier call with this key; nothing was changed now" if done.repeated else ""
    )


def _table(level: StockLevel) -> list[str]:
    heads = ("SKU", "ON HAND", "AVAILABLE", "RESERVED", "SOLD", "RECEIVED")
    figures = (level.on_hand, level.available, level.reserved, level.sold, level.initial)
    return table(heads, [(printable(level.sku), *map(str, figures))])


def _data(level: StockLevel) -> dict[str, Any]:
    return {**asdict(level), "on_hand": level.on_hand, "balanced": level.balanced}


def _done(asked: Adjustment, done: Adjusted) -> dict[str, Any]:
    return {
        "id": asked.id,
        "key": asked.key,
        "sku": asked.sku,
        "units": done.units,
        "repeated": done.repeated,
        "level": None if done.level is None else _data(done.level),
    }
