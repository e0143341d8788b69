"""``orderstream dlq``: records that could not be carried out, and payments that were given up."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import click

from orderstream.events import NotAnEventError, decode_envelope, uncompressed
from orderstream_workers.cli.layout import age, printable
from orderstream_workers.cli.operating import operated
from orderstream_workers.cli.target import TargetChoice, target_options
from orderstream_workers.engine.delivery import ParkedRecord, ParkedRecords
from orderstream_workers.runtime.bootstrap import APPLICATIONS, build_application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.payments import PaymentDeadLetters, QueuedPayment

_PAYMENT_WORKER: Final = "payment-worker"
"""Its dead letters are in SQS, one or more per order; the key is the order id."""

_LETTER_REASON: Final = "received too often; the payment workers' log says why"

_APPLICATION: Final = click.Choice((*APPLICATIONS, _PAYMENT_WORKER))


@click.group()
def dlq() -> None:
    """Look at what is parked, carry it out again, or discard it.

    A KEY is a record's partition key: the order id. Dead letters of payments are those of "payment-worker".
    """


@dlq.command("list")
@click.option("--application", type=_APPLICATION, help="Only this one's.")
@target_options
@click.pass_context
def list_command(context: click.Context, target: TargetChoice, application: str | None) -> None:
    """List every key that is parked: how many records wait behind the first, since when, and why."""
    names = _APPLICATION.choices if application is None else (application,)
    with operated(context, target) as resources:
        lines = [line for name in names for line in _listed(resources, name)]
    click.echo("\n".join(lines) or "nothing is parked")


@dlq.command()
@click.argument("application", type=_APPLICATION)
@click.argument("key")
@click.option("--data", is_flag=True, help="Print the payloads too. They may hold personal data.")
@target_options
@click.pass_context
def show(context: click.Context, application: str, key: str, data: bool, target: TargetChoice) -> None:
    """Show what is parked under a key, in order."""
    with operated(context, target) as resources:
        if application == _PAYMENT_WORKER:
            for letter in _letters(resources, key):
                click.echo(_letter(letter, resources.clock()))
                click.echo(f"    {_LETTER_REASON}; received {letter.receives} times")
            return
        records = _parked(resources, application, key)
        waited = age(records[0].parked_at, resources.clock())
        click.echo(f"{application}  {printable(key)}  {len(records) - 1} behind  {waited}")
        for record in records:
            _show_record(record, data=data)


@dlq.command()
@click.argument("application", type=_APPLICATION)
@click.argument("key")
@target_options
@click.pass_context
def redrive(context: click.Context, application: str, key: str, target: TargetChoice) -> None:
    """Carry out what is parked under a key, in order; stops at the first record that fails again.

    Run it once at a time for a key.
    """
    with operated(context, target) as resources:
        if application == _PAYMENT_WORKER:
            if not _dead_letters(resources).redrive(key):
                raise _no_letter(key)
            click.echo(f"payment of order {printable(key)} handed back to the payment workers")
            return
        handler = build_application(application, resources).handler
        if handler is None:
            raise click.ClickException(f"{application} parks nothing, so nothing can be redriven")
        carried_out = ParkedRecords(resources.store, application).redrive(key, handler)
        click.echo(f"{carried_out} carried out; {printable(key)} is not parked any more")


@dlq.command()
@click.argument("application", type=_APPLICATION)
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@click.pass_context
def discard(context: click.Context, application: str, key: str, yes: bool, target: TargetChoice) -> None:
    """Discard the first record that is parked under a key, for ever. The others stay until redriven."""
    with operated(context, target) as resources:
        if application == _PAYMENT_WORKER:
            count = len(_letters(resources, key))
            _confirm(f"Discard {count} dead letters of order {printable(key)}?", yes=yes)
            click.echo(f"{_dead_letters(resources).discard(key)} discarded; the payment stays as it is")
            return
        first, *behind = _parked(resources, application, key)
        _show_record(first, data=False)
        _confirm("Discard this record for ever?", yes=yes)
        ParkedRecords(resources.store, application).discard_first(key, first.record.position)
        click.echo(f"discarded; {len(behind)} behind it" + (" stay parked: redrive them" if behind else ""))


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)


def _dead_letters(resources: Resources) -> PaymentDeadLetters:
    return PaymentDeadLetters(resources.payment_dead_letters, resources.payment_queue)


def _letters(resources: Resources, order_id: str) -> list[QueuedPayment]:
    letters = [one for one in _dead_letters(resources).waiting() if one.order_id == order_id]
    if not letters:
        raise _no_letter(order_id)
    return letters


def _no_letter(order_id: str) -> click.ClickException:
    return click.ClickException(f"no payment of order {printable(order_id)} is a dead letter")


def _parked(resources: Resources, application: str, key: str) -> list[ParkedRecord]:
    records = ParkedRecords(resources.store, application).records(key)
    if not records:
        raise click.ClickException(f"nothing is parked for {application} under {printable(key)}")
    return records


def _letter(letter: QueuedPayment, now: dt.datetime) -> str:
    # Nothing ever waits behind one: a message says no more than that its order has something to do.
    waited = age(letter.sent_at, now) if letter.sent_at else "unknown age"
    return f"{_PAYMENT_WORKER}  {printable(letter.order_id)}  0 behind  {waited}"


def _listed(resources: Resources, application: str) -> Iterator[str]:
    now = resources.clock()
    if application == _PAYMENT_WORKER:
        for letter in _dead_letters(resources).waiting():
            yield _letter(letter, now)
            yield f"    {_LETTER_REASON}"
        return
    for key in ParkedRecords(resources.store, application).keys():  # noqa: SIM118 - no mapping
        behind = max(key.count - 1, 0)
        waited = age(key.parked_at, now)
        yield f"{application}  {printable(key.partition_key)}  {behind} behind  {waited}"
        yield f"    {printable(key.reason)}"


def _show_record(parked: ParkedRecord, *, data: bool) -> None:
    record = parked.record
    content = record.data
    try:
        content = uncompressed(content)
        envelope = decode_envelope(content)
    except NotAnEventError:
        described = "no event"  # what it is instead, the reason says
    else:
        described = f"{printable(envelope.type)} of order {printable(envelope.subject)}"
    position = f"{record.position.sequence_number}/{record.position.subsequence_number}"
    click.echo(f"{position}  {described}  {record.shard_id}  {record.approximate_arrival:%Y-%m-%d %H:%M:%S}Z")
    click.echo(f"    {printable(parked.reason)}")
    if data:
        click.echo(f"    {printable(content.decode(errors='backslashreplace'))}")
