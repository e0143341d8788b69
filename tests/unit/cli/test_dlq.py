"""What an operator sees of parked records, and does with them."""

import pytest
from click.testing import CliRunner, Result

from fakes.engine import ARRIVAL, record_of
from fakes.operating import MemoryResources
from orderstream.events import ReleaseStock, decode_envelope, initial
from orderstream_workers.cli.dlq import dlq
from orderstream_workers.engine.delivery import PARKING, RedriveStoppedError, StoredParking
from orderstream_workers.store import Delete


def run(resources: MemoryResources, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(dlq, arguments, obj=resources, input=answer)


def park(resources: MemoryResources, *bodies: bytes, application: str = "shipping", key: str = "o-1") -> None:
    parking = StoredParking(resources.store, application, lambda: ARRIVAL)
    for number, body in enumerate(bodies, start=1):
        record = record_of(key, number, body)
        if number == 1:
            parking.park(record, "NotAnEventError: it is none")
        else:
            assert parking.append(record)


def test_the_list_tells_what_waits_where_and_why() -> None:
    """One entry per key, with its application, its age, the reason, and what waits behind."""
    resources = MemoryResources()
    park(resources, b"one", b"two", b"three")
    park(resources, b"one", application="inventory", key="o-2")
    result = run(resources, "list")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "inventory  o-2  0 behind  12h",
        "    NotAnEventError: it is none",
        "shipping  o-1  2 behind  12h",
        "    NotAnEventError: it is none",
    ]
    assert "o-1" not in run(resources, "list", "--application", "inventory").output


def test_an_empty_list_says_so() -> None:
    """Nothing parked is said, not left to be guessed."""
    assert run(MemoryResources(), "list").output == "nothing is parked\n"


def test_show_keeps_payloads_to_itself() -> None:
    """Payloads are printed only when asked for, and then without what a terminal would act on."""
    resources = MemoryResources()
    park(resources, b"secret \x1b[2J\xff", b"two")
    shown = run(resources, "show", "shipping", "o-1")
    assert shown.exit_code == 0
    head, *lines = shown.output.splitlines()
    assert head == "shipping  o-1  1 behind  12h"
    assert [line.split("  ")[:2] for line in lines[::2]] == [
        ["1/0", "no event"],
        ["2/0", "no event"],
    ]
    assert "secret" not in shown.output
    assert "secret \\x1b[2J\\xff" in run(resources, "show", "shipping", "o-1", "--data").output


def test_show_of_an_unknown_key_is_an_error() -> None:
    """A key that is not parked ends with status 1 and a sentence."""
    result = run(MemoryResources(), "show", "shipping", "o-9")
    assert (result.exit_code, result.output) == (1, "Error: nothing is parked for shipping under o-9\n")


def release(order_id: str) -> bytes:
    return initial(
        ReleaseStock(order_id=order_id), source="saga", event_id=f"release-{order_id}", time=ARRIVAL
    ).encode()


def test_redrive_carries_out_through_the_applications_own_handler() -> None:
    """What inventory parked is answered by inventory, and the key is free afterwards."""
    resources = MemoryResources()
    park(resources, release("o-1"), application="inventory")
    assert "ReleaseStock of order o-1" in run(resources, "show", "inventory", "o-1").output
    result = run(resources, "redrive", "inventory", "o-1")
    assert (result.exit_code, result.output) == (0, "1 carried out; o-1 is not parked any more\n")
    assert [decode_envelope(data).type.rpartition(".")[2] for data in resources.emitter.emitted] == [
        "StockReleased"
    ]
    assert run(resources, "list").output == "nothing is parked\n"


def test_redrive_stops_at_what_fails_again() -> None:
    """The record that fails and all behind it stay, and the command says which one it is."""
    resources = MemoryResources()
    park(resources, release("o-1"), b"broken", release("o-1"), application="inventory")
    result = run(resources, "redrive", "inventory", "o-1")
    assert result.exit_code == 1
    assert isinstance(result.exception, RedriveStoppedError)
    assert "stopped after 1 at sequence number 2" in str(result.exception)
    assert "1 behind" in run(resources, "list").output


def test_nothing_to_discard_is_an_error() -> None:
    """A key that is not parked ends with status 1 and a sentence."""
    result = run(MemoryResources(), "discard", "shipping", "o-9")
    assert (result.exit_code, "nothing is parked" in result.output) == (1, True)


def test_a_redrive_lifts_a_mark_that_was_left_behind() -> None:
    """After a redrive that ended before it lifted the mark, another one does; a third changes nothing."""
    resources = MemoryResources()
    park(resources, b"one", key="o-9")
    (entry,) = resources.store.query(PARKING.name, "shipping/o-9")
    resources.store.transact([Delete(entry.table, entry.key, entry.version, sort=entry.sort)])
    for _ in range(2):
        result = run(resources, "redrive", "shipping", "o-9")
        assert (result.exit_code, result.output) == (0, "0 carried out; o-9 is not parked any more\n")
        assert run(resources, "list").output == "nothing is parked\n"


def test_discard_asks_and_leaves_the_rest() -> None:
    """Only a yes discards, only the first record, and what is left waits for its redrive."""
    resources = MemoryResources()
    park(resources, b"broken", release("o-1"), application="inventory")
    refused = run(resources, "discard", "inventory", "o-1", answer="n\n")
    assert (refused.exit_code, "1 behind" in run(resources, "list").output) == (1, True)
    done = run(resources, "discard", "inventory", "o-1", answer="y\n")
    assert (done.exit_code, "1 behind it stay parked" in done.output) == (0, True)
    assert run(resources, "redrive", "inventory", "o-1").exit_code == 0


def test_a_discard_is_logged_without_payload(caplog: pytest.LogCaptureFixture) -> None:
    """What was discarded can be read later: whose, which key, where it stood, why it was parked."""
    resources = MemoryResources()
    park(resources, b"broken")
    assert run(resources, "discard", "shipping", "o-1", "--yes").exit_code == 0
    (entry,) = [record for record in caplog.records if record.message == "parked record discarded"]
    assert (entry.application, entry.partition_key, entry.sequence_number) == ("shipping", "o-1", "1")
    assert entry.reason == "NotAnEventError: it is none"


def test_dead_letters_of_payments_are_listed_with_the_rest() -> None:
    """The payment worker's stand beside what the applications park, and can be looked at one by one."""
    resources = MemoryResources()
    resources.payment_dead_letters.send("o-7")
    assert "payment-worker  o-7" in run(resources, "list").output
    assert "nothing is parked" in run(resources, "list", "--application", "shipping").output
    shown = run(resources, "show", "payment-worker", "o-7").output
    assert shown.startswith("payment-worker  o-7  0 behind")
    assert "received too often" in shown


def test_payments_are_handed_back_or_discarded() -> None:
    """A redrive rings for the order again, a discard asks first and rings for nobody."""
    resources = MemoryResources()
    for order_id in ("o-7", "o-8"):
        resources.payment_dead_letters.send(order_id)
    assert run(resources, "redrive", "payment-worker", "o-7").exit_code == 0
    assert run(resources, "discard", "payment-worker", "o-8", answer="n\n").exit_code == 1
    assert (resources.payment_queue.depth(), resources.payment_dead_letters.depth()) == (1, 1)
    assert run(resources, "discard", "payment-worker", "o-8", "--yes").exit_code == 0
    assert (resources.payment_queue.depth(), resources.payment_dead_letters.depth()) == (1, 0)
    assert run(resources, "redrive", "payment-worker", "o-8").exit_code == 1
