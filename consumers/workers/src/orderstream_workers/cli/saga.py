"""``orderstream saga``: orders that have not ended."""

import datetime as dt
from dataclasses import replace
from typing import Any, Literal

import click

from orderstream_workers.cli.layout import age, as_json, printable, table, wrapped
from orderstream_workers.cli.operating import operated
from orderstream_workers.cli.operator import Operator, operator_option
from orderstream_workers.cli.options import json_option
from orderstream_workers.cli.target import TargetChoice, target_options
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.open_orders import orders_under_way
from orderstream_workers.operations.open_orders import resolve as resolve_step
from orderstream_workers.services.saga import Resolution, find_order
from orderstream_workers.services.saga.definition import step_names
from orderstream_workers.services.saga.domain import decisions
from orderstream_workers.services.saga.state import Saga


@click.group()
def saga() -> None:
    """Look at orders as the coordinator sees them."""


@saga.command("list", short_help="List the orders that have not ended, and what they wait for.")
@click.option("--late", is_flag=True, help="Only those with a response that is or was overdue.")
@json_option
@target_options
@click.pass_context
def list_command(context: click.Context, late: bool, target: TargetChoice, as_data: bool) -> None:
    """List the orders that have not ended: their state, and what they wait for."""
    with operated(context, target) as resources:
        now = resources.clock()
        shown = orders_under_way(resources, late=late)
    if as_data:
        click.echo(as_json([_data(order, now) for order in shown]))
        return
    if not shown:
        click.echo("no order is late" if late else "every order has ended")
        return
    head, *lines = _table(shown)
    click.echo(head)
    for line, order in zip(lines, shown, strict=True):
        click.echo(line)
        for step in _waiting(order, now):
            click.echo(wrapped(step, indent=4))


@saga.command()
@click.argument("order_id")
@json_option
@target_options
@click.pass_context
def show(context: click.Context, order_id: str, target: TargetChoice, as_data: bool) -> None:
    """Show every step of one order, ended or not."""
    with operated(context, target) as resources:
        now = resources.clock()
        order = find_order(resources.store, order_id)
    if order is None:
        raise NotDoneError(f"the coordinator knows no order {printable(order_id)}")
    if as_data:
        click.echo(as_json(_data(order, now)))
        return
    for line in _table([order]):
        click.echo(line)
    for name, progress in order.steps.items():
        click.echo(f"    {name}: {progress.status}, attempt {progress.attempt}")
    for step in _waiting(order, now):
        click.echo(wrapped(step, indent=4))


@saga.command()
@click.argument("order_id")
@click.option("--step", required=True, type=click.Choice(step_names()))
@click.option(
    "--decision",
    required=True,
    type=click.Choice(["done", "refuse"]),
    help="done: what was asked for was done by hand. refuse: shipping shall refuse the shipment for good.",
)
@click.option("--reason", required=True, help="Why; it is kept with the order's story.")
@operator_option
@target_options
@click.pass_context
def resolve(
    context: click.Context,
    order_id: str,
    step: str,
    decision: Literal["done", "refuse"],
    reason: str,
    operator: Operator,
    target: TargetChoice,
) -> None:
    """Decide about a step that gets no reply. The coordinator takes it up in the order of the stream.

    Running it again with the same words does no harm.
    """
    try:
        resolution = Resolution(
            order_id=order_id, step=step, decision=decision, operator=operator.said, reason=reason
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with operated(context, target) as resources:
        resolve_step(resources, replace(resolution, operator=operator.name(resources)))
    click.echo(
        f"{printable(step)} of order {printable(order_id)}: {decision}; the coordinator has been informed"
    )


def _table(sagas: list[Saga]) -> list[str]:
    rows = [(printable(one.order.order_id), str(one.phase), _failure(one)) for one in sagas]
    return table(("ORDER", "PHASE", "FAILURE"), rows)


def _failure(saga: Saga) -> str:
    if saga.failure is None:
        return ""
    return printable(saga.failure.reason) + (f" ({saga.failure.step})" if saga.failure.step else "")


def _waiting(saga: Saga, now: dt.datetime) -> list[str]:
    return [
        f"waits for {timer.step}, attempt {timer.attempt}, "
        + (f"overdue for {age(timer.due, now)}" if timer.due < now else f"due in {age(now, timer.due)}")
        + (", asked again" if saga.asked_again(timer.step) else "")
        + (
            f"; to resolve: {' or '.join(offered)}"
            if (offered := sorted(decisions(saga, timer.step)))
            else ""
        )
        for timer in saga.timers()
    ]


def _data(saga: Saga, now: dt.datetime) -> dict[str, Any]:
    """An order for a program, without its customer."""
    return {
        "order_id": saga.order.order_id,
        "phase": str(saga.phase),
        "failure": {"reason": saga.failure.reason, "step": saga.failure.step} if saga.failure else None,
        "steps": {
            name: {"status": str(progress.status), "attempt": progress.attempt}
            for name, progress in saga.steps.items()
        },
        "waits_for": [
            {
                "step": timer.step,
                "attempt": timer.attempt,
                "due": timer.due,
                "overdue": timer.due < now,
                "asked_again": saga.asked_again(timer.step),
                "decisions": sorted(decisions(saga, timer.step)),
            }
            for timer in saga.timers()
        ],
    }
