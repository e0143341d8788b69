"""``orderstream dlq``: records that could not be carried out, and payments that were given up."""

import datetime as dt
from pathlib import Path
from typing import Final

import click

from orderstream.events import NotAnEventError, decode_envelope
from orderstream_workers.cli.operating import age, operated, printable
from orderstream_workers.cli.options import home_option
from orderstream_workers.engine.delivery import ParkedKey, ParkedRecord, ParkedRecords
from orderstream_workers.runtime.bootstrap import APPLICATIONS, build_application
from orderstream_workers.runtime.resources import Resources

_APPLICATION: Final = click.Choice(APPLICATIONS)


@click.group()
def dlq() -> None:
    """Look at what is parked, carry it out again, or discard it."""


@dlq.command("list")
@click.option("--application", type=_APPLICATION, help="Only this one's.")
@home_option
@click.pass_context
def list_command(context: click.Context, home: Path, application: str | None) -> None:
    """List every key that is parked: since when, why, and how many records wait behind the first."""
    with operated(context, home) as resources:
        found = False
        for name in APPLICATIONS if application is None else (application,):
            for key in ParkedRecords(resources.store, name).keys():  # noqa: SIM118 - no mapping
                found = True
                _show_key(name, key, resources.clock())
        if not found:
            click.echo("nothing is parked")


@dlq.command()
@click.argument("application", type=_APPLICATION)
@click.argument("key")
@click.option("--data", is_flag=True, help="Print the payloads too. They may hold personal data.")
@home_option
@click.pass_context
def show(context: click.Context, application: str, key: str, data: bool, home: Path) -> None:
    """Show what is parked under a key, in order."""
    with operated(context, home) as resources:
        for record in _parked(resources, application, key):
            _show_record(record, data=data)


@dlq.command()
@click.argument("application", type=_APPLICATION)
@click.argument("key")
@home_option
@click.pass_context
def redrive(context: click.Context, application: str, key: str, home: Path) -> None:
    """Carry out what is parked under a key, in order; stops at the first record that fails again.

    Run it once at a time for a key.
    """
    with operated(context, home) as resources:
        handler = build_application(application, resources).handler
        if handler is None:
            raise click.ClickException(f"{application} parks nothing, so nothing can be redriven")
        carried_out = ParkedRecords(resources.store, application).redrive(key, handler)
        click.echo(f"{carried_out} carried out; {printable(key)} is not parked any more")


@dlq.command()
@click.argument("application", type=_APPLICATION)
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@click.pass_context
def discard(context: click.Context, application: str, key: str, yes: bool, home: Path) -> None:
    """Discard the first record that is parked under a key, for ever. The others stay until redriven."""
    with operated(context, home) as resources:
        first, *behind = _parked(resources, application, key)
        _show_record(first, data=False)
        if not yes:
            click.confirm("Discard this record for ever?", abort=True)
        ParkedRecords(resources.store, application).discard_first(key, first.record.position)
        click.echo(f"discarded; {len(behind)} behind it" + (" stay parked: redrive them" if behind else ""))


def _parked(resources: Resources, application: str, key: str) -> list[ParkedRecord]:
    records = ParkedRecords(resources.store, application).records(key)
    if not records:
        raise click.ClickException(f"nothing is parked for {application} under {printable(key)}")
    return records


def _show_key(application: str, key: ParkedKey, now: dt.datetime) -> None:
    behind = max(key.count - 1, 0)
    click.echo(f"{application}  {printable(key.partition_key)}  {behind} behind  {age(key.parked_at, now)}")
    click.echo(f"    {printable(key.reason)}")


def _show_record(parked: ParkedRecord, *, data: bool) -> None:
    record = parked.record
    try:
        envelope = decode_envelope(record.data)
    except NotAnEventError:
        described = "no event"  # what it is instead, the reason says
    else:
        described = f"{printable(envelope.type)} of order {printable(envelope.subject)}"
    position = f"{record.position.sequence_number}/{record.position.subsequence_number}"
    click.echo(f"{position}  {described}  {record.shard_id}  {record.approximate_arrival:%Y-%m-%d %H:%M:%S}Z")
    click.echo(f"    {printable(parked.reason)}")
    if data:
        click.echo(f"    {printable(record.data.decode(errors='backslashreplace'))}")
