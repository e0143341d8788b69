"""``orderstream order``: what happened to one order, and which orders there are."""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
import httpx

from orderstream_orders.contracts import CANCELLATION_REASONS
from orderstream_orders.currency import spelled
from orderstream_workers.cli.layout import age, as_json, printable, table, width, wrapped
from orderstream_workers.cli.options import AGE, json_option
from orderstream_workers.cli.target import TargetChoice, TargetError, choose, target_options
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.order_cost import order_cost, rendered
from orderstream_workers.operations.order_trace import spans_of
from orderstream_workers.operations.orders import read_model_at
from orderstream_workers.operations.waterfall import DEFAULT_COLUMNS, waterfall
from orderstream_workers.projections.order_status import (
    OrderSearch,
    OrderStatus,
    ReadModel,
    State,
    render_story,
    shown_url,
)
from orderstream_workers.runtime.clients import region

_STORY_HANG = 13
"""A story's line begins with its time, eleven columns wide."""

_STATES: Final[dict[str, State]] = {"placed": "PLACED", "confirmed": "CONFIRMED", "cancelled": "CANCELLED"}

_MAX_PAGE: Final = 1_000


@click.group()
def order() -> None:
    """Look at orders.

    They are read from the database that ORDERSTREAM_READ_MODEL_URL names, or from the local environment's.
    """


@order.command(short_help="Show one order's story, message by message.")
@click.argument("order_id")
@click.option(
    "--trace", is_flag=True, help="Draw its spans instead, from the collector of the local environment."
)
@click.option("--cost", is_flag=True, help="Reckon instead what AWS bills for it, by service.")
@target_options
def show(order_id: str, *, trace: bool, cost: bool, target: TargetChoice) -> None:
    """Show one order's story: every message in order, with its owner, its time, and its effect.

    It is read from the database that ORDERSTREAM_READ_MODEL_URL names, or from the local environment's.
    """
    if trace and cost:
        raise click.UsageError("--trace and --cost are two answers: ask for one of them")
    if trace:
        settings = choose(target, os.environ, also="ORDERSTREAM_OTLP_URL").enter()
        if settings.tracing != "none":
            click.echo(wrapped(f"on the collector {shown_url(settings.otlp_url)}"), err=True)
        with httpx.Client() as http:
            spans = spans_of(settings, order_id, http)
        for line in waterfall(spans, order_id, width() or DEFAULT_COLUMNS):
            click.echo(printable(line))
        return
    with _read_model(target) as read_model:
        found = read_model.order(order_id)
    if found is None:
        raise NotDoneError(f"order status knows no order {printable(order_id)}; it may not have seen it yet")
    if cost:
        for line in rendered(order_cost(found, region())):
            click.echo(wrapped(printable(line)))
        return
    click.echo(wrapped(render_story(found), hang=_STORY_HANG))


@order.command("list", short_help="List orders by state, reason, age, customer or SKU.")
@click.option(
    "--state", type=click.Choice(list(_STATES)), metavar="STATE", help="placed, confirmed or cancelled."
)
@click.option(
    "--reason",
    type=click.Choice(CANCELLATION_REASONS),
    metavar="REASON",
    help=f"Cancelled for this reason: {', '.join(CANCELLATION_REASONS)}.",
)
@click.option("--older-than", type=AGE, help="Placed longer ago than this, such as 90s, 15m, 2h or 3d.")
@click.option("--newer-than", type=AGE, help="Placed no longer ago than this.")
@click.option("--customer", metavar="ID", help="Only this customer's; the shop's id.")
@click.option("--sku", help="Only those with this SKU among their lines. Slow without a state or an age.")
@click.option("--oldest-first", is_flag=True, help="By default the newest comes first.")
@click.option(
    "--limit", type=click.IntRange(1, _MAX_PAGE), default=50, show_default=True, help="Most orders of a page."
)
@click.option("--after", metavar="ORDER_ID", help="Begin behind this order: the last one of the page before.")
@json_option
@target_options
def list_command(
    *,
    state: str | None,
    reason: str | None,
    older_than: dt.timedelta | None,
    newer_than: dt.timedelta | None,
    customer: str | None,
    sku: str | None,
    oldest_first: bool,
    limit: int,
    after: str | None,
    as_data: bool,
    target: TargetChoice,
) -> None:
    """List orders, page by page: state, age, total and customer; under a cancelled one, why.

    An order is "placed" until it is confirmed or cancelled. `orderstream saga list` says what such an order
    waits for.
    """
    now = dt.datetime.now(dt.UTC)
    wanted = OrderSearch(
        state=None if state is None else _STATES[state],
        reason=reason,
        placed_from=None if newer_than is None else now - newer_than,
        placed_before=None if older_than is None else now - older_than,
        customer_id=customer,
        sku=sku,
        oldest_first=oldest_first,
    )
    with _read_model(target) as read_model:
        page = read_model.find(wanted, after=after, limit=limit)
    if as_data:
        click.echo(as_json(page))
        return
    if not page.orders:
        click.echo("no such orders" if after is None else "no more such orders")
        return
    head, *lines = table(
        ("ORDER", "STATE", "AGE", "TOTAL", "CUSTOMER"), [_row(one, now) for one in page.orders]
    )
    click.echo(head)
    for line, one in zip(lines, page.orders, strict=True):
        click.echo(line)
        if one.state_reason is not None:
            click.echo(wrapped(printable(one.state_reason), indent=4))
    if page.next is not None:
        click.echo(f"more follow: add --after {printable(page.next)}", err=True)


@contextmanager
def _read_model(target: TargetChoice) -> Iterator[ReadModel]:
    chosen = choose(target, os.environ, also="ORDERSTREAM_READ_MODEL_URL")
    if chosen.kind == "aws" and not os.environ.get("ORDERSTREAM_READ_MODEL_URL"):
        raise TargetError(
            "no read model is named; set ORDERSTREAM_READ_MODEL_URL to the database that order status writes"
        )
    settings = chosen.enter()
    click.echo(wrapped(f"on the read model {shown_url(settings.read_model_url)}"), err=True)
    with read_model_at(settings) as read_model:
        yield read_model


def _row(one: OrderStatus, now: dt.datetime) -> tuple[str, ...]:
    total = "unknown"
    if one.total_minor is not None and one.currency is not None:
        total = spelled(one.total_minor, one.currency)
    return (
        printable(one.order_id),
        one.state,
        age(one.placed_at, now) if one.placed_at else "unknown",
        printable(total),
        printable(one.customer_id) if one.customer_id else "-",
    )
