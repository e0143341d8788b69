"""``orderstream saga``: orders that have not come to their end."""

import datetime as dt
from pathlib import Path

import click

from orderstream_workers.cli.operating import age, operated, printable
from orderstream_workers.cli.options import home_option
from orderstream_workers.services.saga import find_order, open_orders
from orderstream_workers.services.saga.state import Saga, Status, Timer


@click.group()
def saga() -> None:
    """Look at orders as the coordinator sees them."""


@saga.command("list")
@click.option("--late", is_flag=True, help="Only those with an answer that is or was overdue.")
@home_option
@click.pass_context
def list_command(context: click.Context, late: bool, home: Path) -> None:
    """List the orders that have not ended: where they stand, and what they wait for."""
    with operated(context, home) as resources:
        now = resources.clock()
        orders = sorted(open_orders(resources.store), key=lambda order: order.order.order_id)
        shown = [order for order in orders if not late or _is_late(order, now)]
    for order in shown:
        click.echo(_line(order))
        for step in _waiting(order, now):
            click.echo(f"    {step}")
    if not shown:
        click.echo("no order is late" if late else "every order has ended")


@saga.command()
@click.argument("order_id")
@home_option
@click.pass_context
def show(context: click.Context, order_id: str, home: Path) -> None:
    """Show every step of one order, ended or not."""
    with operated(context, home) as resources:
        now = resources.clock()
        order = find_order(resources.store, order_id)
    if order is None:
        raise click.ClickException(f"the coordinator knows no order {printable(order_id)}")
    click.echo(_line(order))
    for name, progress in order.steps.items():
        click.echo(f"    {name}: {progress.status}, attempt {progress.attempt}")
    for step in _waiting(order, now):
        click.echo(f"    {step}")


def _line(saga: Saga) -> str:
    line = f"{printable(saga.order.order_id)}  {saga.phase}"
    if saga.failure is not None:
        line += f"  {printable(saga.failure.reason)}"
        line += f" ({saga.failure.step})" if saga.failure.step else ""
    return line


def _waiting(saga: Saga, now: dt.datetime) -> list[str]:
    return [
        f"waits for {timer.step}, attempt {timer.attempt}, "
        + (f"overdue for {age(timer.due, now)}" if timer.due < now else f"due in {age(now, timer.due)}")
        + (", asked again" if _asked_again(saga, timer) else "")
        for timer in saga.timers()
    ]


def _is_late(saga: Saga, now: dt.datetime) -> bool:
    return any(timer.due < now or _asked_again(saga, timer) for timer in saga.timers())


def _asked_again(saga: Saga, timer: Timer) -> bool:
    """True if an answer was overdue before: only then is the same request made twice."""
    # A compensation follows the one request of its step, and attempts count on.
    first = 2 if saga.step(timer.step).status is Status.CANCELLING else 1
    return timer.attempt > first
