"""``orderstream shipping``: the parcels that wait to be handed over, and what was scanned of them."""

import datetime as dt
import uuid
from typing import Any

import click

from orderstream_orders.contracts import ParcelScan
from orderstream_workers.cli.layout import age, as_json, printable, table, wrapped
from orderstream_workers.cli.operating import operated
from orderstream_workers.cli.operator import Operator, operator_option
from orderstream_workers.cli.options import json_option
from orderstream_workers.cli.target import TargetChoice, target_options
from orderstream_workers.operations.shipping import Report, ShownParcel, parcels_of, report_parcel


@click.group(short_help="List parcels, report what became of them.")
def shipping() -> None:
    """List the parcels that wait for the carrier, and report what became of them.

    Shipping decides about a report in the order of the stream; `orderstream order show` tells what followed.
    """


@shipping.command("list", short_help="List the parcels that wait to be handed over.")
@click.option("--all", "every", is_flag=True, help="All parcels, wherever they are.")
@json_option
@target_options
@click.pass_context
def list_command(context: click.Context, every: bool, target: TargetChoice, as_data: bool) -> None:
    """List the parcels that wait to be handed over, the oldest first.

    It reads the whole table of shipments.
    """
    with operated(context, target) as resources:
        now, shown = resources.clock(), parcels_of(resources, every=every)
    if as_data:
        click.echo(as_json([_data(one) for one in shown]))
    elif not shown:
        click.echo("there are no parcels" if every else "no parcel waits to be handed over")
    else:
        rows = [_row(one, now) for one in shown]
        click.echo("\n".join(table(("ORDER", "PARCEL", "FOR", "UNITS", "COUNTRY"), rows)))


@shipping.command("hand-over", short_help="Report that the carrier has a parcel.")
@click.argument("order_id")
@operator_option
@target_options
@click.pass_context
def hand_over(context: click.Context, order_id: str, operator: Operator, target: TargetChoice) -> None:
    """Report that the carrier has the parcel of an order. Running it again does no harm."""
    _report(context, target, "handed_over", order_id, operator)


@shipping.command(short_help="Report that the customer has a parcel.")
@click.argument("order_id")
@operator_option
@target_options
@click.pass_context
def delivered(context: click.Context, order_id: str, operator: Operator, target: TargetChoice) -> None:
    """Report that the customer has the parcel of an order. Running it again does no harm."""
    _report(context, target, "delivered", order_id, operator)


@shipping.command(short_help="Report that a parcel has come back.")
@click.argument("order_id")
@click.option("--reason", required=True, help="Why; it is kept with the order's story.")
@operator_option
@target_options
@click.pass_context
def returned(
    context: click.Context, order_id: str, reason: str, operator: Operator, target: TargetChoice
) -> None:
    """Report that the parcel of an order has come back. Running it again does no harm."""
    _report(context, target, "returned", order_id, operator, reason)


def _report(
    context: click.Context,
    target: TargetChoice,
    scan: ParcelScan,
    order_id: str,
    operator: Operator,
    reason: str | None = None,
) -> None:
    with operated(context, target) as resources:
        try:
            report = Report(
                order_id=order_id,
                scan=scan,
                operator=operator.name(resources),
                key=str(uuid.uuid4()),
                reason=reason,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        is_new = report_parcel(resources, report)
    said = scan.replace("_", " ")
    click.echo(
        wrapped(
            f"the parcel of order {printable(order_id)} is {said}; shipping has been informed"
            if is_new
            else f"the parcel of order {printable(order_id)} was {said} before; nothing was changed"
        )
    )


def _row(one: ShownParcel, now: dt.datetime) -> tuple[str, ...]:
    since = one.parcel.since or one.taken_at
    return (
        printable(one.order_id),
        str(one.parcel.phase or "waiting").replace("_", " "),
        age(since, now) if since else "",
        str(one.units),
        printable(one.country or ""),
    )


def _data(one: ShownParcel) -> dict[str, Any]:
    """A parcel for a program, without its customer."""
    return {
        "order_id": one.order_id,
        "shipment_id": one.shipment_id,
        "parcel": one.parcel.phase,
        "since": one.parcel.since,
        "taken_at": one.taken_at,
        "units": one.units,
        "country": one.country,
    }
