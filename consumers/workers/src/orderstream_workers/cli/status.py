"""``orderstream status``: every application in one look."""

import datetime as dt
import sys
from typing import Final

import click
import msgspec

from orderstream_consumer.engines.embedded.retrieval import PROPAGATION
from orderstream_workers.cli.layout import age, as_json, printable, table, wrapped
from orderstream_workers.cli.operating import operated
from orderstream_workers.cli.options import AGE, json_option
from orderstream_workers.cli.target import TargetChoice, target_options
from orderstream_workers.operations.status import ApplicationStatus, PipelineStatus, pipeline_status

_AS_GOOD_AS_NOW: Final = PROPAGATION + dt.timedelta(seconds=30)
"""An engine that has nothing to do notes that it has caught up as much later, and with its next renewal."""


@click.command(short_help="Show every application: shards, workers, backlog, dead letters.")
@click.option(
    "--behind",
    type=AGE,
    default="5m",
    show_default=True,
    help="An application is behind that has not caught up for longer than this.",
)
@json_option
@target_options
@click.pass_context
def status(context: click.Context, behind: dt.timedelta, target: TargetChoice, as_data: bool) -> None:
    """Show every application in one look. Exit status 1 if something is wrong, or cannot be seen.

    It is read from the tables that the workers write, and takes four seconds, or eleven where a lease is not
    renewed (with the default ORDERSTREAM_FAILOVER_SECONDS, which must be the workers').

    SHARDS are those that a worker works on, of all open ones. CAUGHT UP is "now" where an application does
    what arrives, and else when it had last done everything, on the shard that is furthest behind. It is
    noted a minute late; KCL does not keep it.
    """
    with operated(context, target) as resources:
        found = pipeline_status(resources, behind=behind)
    if as_data:
        click.echo(as_json({"healthy": found.healthy} | msgspec.structs.asdict(found)))
    else:
        _show(found)
    if not found.healthy:
        sys.exit(1)


def _show(found: PipelineStatus) -> None:
    heads = ("APPLICATION", "ENGINE", "SHARDS", "WORKERS", "CAUGHT UP", "PARKED")
    head, *lines = table(heads, [_row(one, found.at) for one in found.applications])
    click.echo(head)
    for line, one in zip(lines, found.applications, strict=True):
        click.echo(line)
        _say(one.wrong)
    for queue in found.queues:
        waiting, dead = _figure(queue.waiting), _figure(queue.dead_letters)
        click.echo(f"queue {printable(queue.queue)}: {waiting} waiting, {dead} dead letters")
        _say(queue.wrong)


def _say(wrong: tuple[str, ...]) -> None:
    for sentence in wrong:
        click.echo(wrapped(printable(sentence), indent=4))


def _row(one: ApplicationStatus, now: dt.datetime) -> tuple[str, ...]:
    working = sum(shard.renewed for shard in one.shards)
    known = one.running is not None
    return (
        printable(one.application),
        one.engine or "-",
        f"{working} of {len(one.shards)}" if known else "unknown",
        str(len(one.owners)) if known else "unknown",
        _caught_up(one, now),
        _figure(one.parked),
    )


def _caught_up(one: ApplicationStatus, now: dt.datetime) -> str:
    if one.done_until is None:
        return "unknown"
    working = all(shard.renewed for shard in one.shards)
    if working and now - one.done_until <= _AS_GOOD_AS_NOW:
        return "now"
    return f"{age(one.done_until, now)} ago"


def _figure(number: int | None) -> str:
    return "unknown" if number is None else str(number)
