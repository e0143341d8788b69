"""``orderstream dlq``: records that could not be carried out, and payments that were given up."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import click

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.delivery import ParkedRecords, interventions
from orderstream_workers.cli.applications import ApplicationGroup, known
from orderstream_workers.cli.intervening import Selected, confirm, confirmed, confirmed_letters, selection
from orderstream_workers.cli.layout import age, as_json, printable, table, wrapped
from orderstream_workers.cli.operating import operated
from orderstream_workers.cli.options import json_option, parked_for_option
from orderstream_workers.cli.target import TargetChoice, target_options
from orderstream_workers.operations.dead_letters import (
    PAYMENT_WORKER,
    ListedKey,
    ShownRecord,
    letters_of,
    listed,
    shown,
)
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.intervening import Action, Intervening
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.resources import Resources

_OF: Final = click.argument("application")
_ONLY_OF: Final = click.argument("application", required=False)

_THIS: Final = "Discard this record permanently?"


@click.group(cls=ApplicationGroup)
def dlq() -> None:
    """Look at what is parked, carry it out again, or discard it.

    A KEY is a record's partition key: the order id. An APPLICATION is a worker's, such as "inventory"; dead
    letters of payments are those of "payment-worker".
    """


@dlq.command("list", short_help="List every key that is parked, since when, and why.")
@_ONLY_OF
@parked_for_option
@json_option
@target_options
@click.pass_context
def list_command(
    context: click.Context, target: TargetChoice, application: str | None, parked_for: str, as_data: bool
) -> None:
    """List every key that is parked: how many records wait behind the first, since when, and why.

    Without an APPLICATION, those of all applications.
    """
    with operated(context, target) as resources:
        names = _names(application, resources)
        now = resources.clock()
        found = [key for name in names for key in listed(resources, name, parked_for)]
    if as_data:
        click.echo(as_json(found))
        return
    if not found:
        click.echo("nothing is parked")
        return
    rows = [
        (
            key.application,
            printable(key.key),
            str(key.behind),
            _age(key, now),
        )
        for key in found
    ]
    head, *lines = table(("APPLICATION", "KEY", "BEHIND", "SINCE"), rows)
    click.echo(head)
    for line, key in zip(lines, found, strict=True):
        click.echo(line)
        click.echo(wrapped(printable(key.reason), indent=4))


@dlq.command()
@_OF
@click.argument("key")
@click.option("--data", is_flag=True, help="Print the payloads too. They may hold personal data.")
@json_option
@target_options
@click.pass_context
def show(
    context: click.Context, application: str, key: str, data: bool, target: TargetChoice, as_data: bool
) -> None:
    """Show what is parked under a key, in order."""
    with operated(context, target) as resources:
        _names(application, resources)
        records = shown(resources, application, key, data=data)
    if as_data:
        click.echo(as_json(records))
        return
    for record in records:
        for line in _lines_of(record):
            click.echo(wrapped(line))


@dlq.command(short_help="Carry out what is parked, key by key and in order.")
@_OF
@selection
@target_options
@click.pass_context
def redrive(context: click.Context, application: str, selected: Selected, target: TargetChoice) -> None:
    """Carry out what is parked, key by key and in order; a key stops at the first record that fails again.

    Give a KEY, or --all for every key of the application (with --parked-for: for those with that reason).
    Run it once at a time for a key.
    """
    with operated(context, target) as resources:
        work = _intervening(resources, application, "redrive", selected)
        if application == PAYMENT_WORKER:
            letters = confirmed_letters(resources, "redrive", selected)
            if work.letters(letters, letters_of(resources).redrive):
                click.echo("handed back to the payment workers")
            return
        handler = build_application(application, resources).handler
        if handler is None:
            raise NotDoneError(f"{application} parks nothing, so nothing can be redriven")
        if selected.key is not None:
            carried_out = work.redriven(selected.key, handler)
            click.echo(f"{carried_out} carried out; {printable(selected.key)} is not parked any more")
            return
        keys = confirmed(resources, application, "redrive", selected)
        done, stopped = 0, 0
        for one in keys:
            try:
                done += work.redriven(one.key, handler)
            except DependencyError:
                click.echo(f"{done} records carried out before that", err=True)
                raise
            except OrderstreamError as error:
                stopped += 1
                click.echo(wrapped(f"{printable(one.key)}: {printable(str(error))}"), err=True)
    click.echo(f"{done} carried out; {stopped} of {len(keys)} keys stay parked")
    if stopped:
        raise NotDoneError("some keys could not be carried out; their reasons are above")


@dlq.command(short_help="Discard the first record that is parked under a key.")
@_OF
@selection
@click.option("--behind", is_flag=True, help="Also the records that wait behind the first of each key.")
@target_options
@click.pass_context
def discard(
    context: click.Context, application: str, selected: Selected, behind: bool, target: TargetChoice
) -> None:
    """Discard the first record that is parked under a key, permanently. The others stay until redriven.

    Give a KEY, or --all for every key of the application (with --parked-for: for those with that reason).
    """
    with operated(context, target) as resources:
        work = _intervening(resources, application, "discard", selected)
        if application == PAYMENT_WORKER:
            letters = confirmed_letters(resources, "discard", selected)
            count = work.letters(letters, letters_of(resources).discard)
            click.echo(f"{count} discarded; the payments stay as they are")
            return
        if selected.key is None:
            keys = [one.key for one in confirmed(resources, application, "discard", selected)]
        else:
            records = shown(resources, application, selected.key, data=False)
            for line in (line for one in (records if behind else records[:1]) for line in _lines_of(one)):
                click.echo(wrapped(line))
            confirm(f"Discard {len(records)} records permanently?" if behind else _THIS, yes=selected.yes)
            keys = [selected.key]
        discarded = sum(work.discarded(one, behind=behind) for one in keys)
        left = sum(len(ParkedRecords(resources.store, application).records(one)) for one in keys)
    click.echo(f"{discarded} discarded; {left} behind" + (" stay parked: redrive them" if left else ""))


@dlq.command(short_help="List who redrove or discarded what, when, and why.")
@_ONLY_OF
@json_option
@target_options
@click.pass_context
def history(context: click.Context, application: str | None, target: TargetChoice, as_data: bool) -> None:
    """List who redrove or discarded what, when, and why; the oldest first.

    Without an APPLICATION, those of all applications. A redrive is written down before it begins, with the
    number of records that were parked then. It does not say how many of them were carried out.
    """
    with operated(context, target) as resources:
        names = _names(application, resources)
        found = [one for name in names for one in interventions(resources.store, name)]
    found.sort(key=lambda one: one.at)
    if as_data:
        click.echo(as_json(found))
        return
    heads = ("WHEN", "APPLICATION", "KEY", "ACTION", "RECORDS", "OPERATOR")
    rows = [
        (
            *(f"{one.at:%Y-%m-%d %H:%M}Z", one.application, printable(one.partition_key), one.action),
            *(str(one.records), printable(one.operator)),
        )
        for one in found
    ]
    head, *lines = table(heads, rows)
    click.echo(head if found else "no record has been redriven or discarded")
    for line, one in zip(lines, found, strict=True):
        click.echo(line)
        said = (
            f"{one.reason}; parked for: {one.parked_for}" if one.reason else f"parked for: {one.parked_for}"
        )
        click.echo(wrapped(printable(said), indent=4))


def _names(application: str | None, resources: Resources) -> tuple[str, ...]:
    """The application that was named, or else all of them, with the payment worker.

    Raises:
        BadParameter: there is none of that name.
    """
    if application is not None:
        return (known(application, resources.settings, PAYMENT_WORKER),)
    return (*application_names(resources.settings), PAYMENT_WORKER)


def _intervening(resources: Resources, application: str, action: Action, selected: Selected) -> Intervening:
    _names(application, resources)
    operator = selected.operator.name(resources)
    return Intervening(resources, application, action, operator=operator, reason=selected.reason)


def _age(key: ListedKey, now: dt.datetime) -> str:
    return age(key.since, now) if key.since else "unknown"


def _lines_of(record: ShownRecord) -> Iterator[str]:
    """A record in lines, the reason and the payload under it."""
    arrived = f"{record.arrived_at:%Y-%m-%d %H:%M:%S}Z" if record.arrived_at else "at an unknown time"
    yield "  ".join(filter(None, (record.position, printable(record.described), record.shard_id, arrived)))
    yield f"    {printable(record.reason)}"
    if record.data is not None:
        yield f"    {printable(record.data)}"
