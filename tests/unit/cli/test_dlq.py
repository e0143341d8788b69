"""What an operator sees of parked records, and does with them."""

import json

import pytest
from click.testing import CliRunner, Result

from fakes.engine import ARRIVAL, record_of
from fakes.messages import envelope_of
from fakes.operating import MemoryResources
from orderstream.messages import decode_envelope
from orderstream_consumer.delivery import PARKING, RedriveStoppedError, StoredParking
from orderstream_consumer.store import Delete
from orderstream_orders.contracts import ReleaseStock
from orderstream_workers.cli.dlq import dlq
from orderstream_workers.operations.errors import NotDoneError


def run(resources: MemoryResources, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(dlq, arguments, obj=resources, input=answer)


def park(
    resources: MemoryResources,
    *bodies: bytes,
    application: str = "shipping",
    key: str = "o-1",
    reason: str = "NotAnEventError: it is none",
) -> None:
    parking = StoredParking(resources.store, application, lambda: ARRIVAL)
    for number, body in enumerate(bodies, start=1):
        record = record_of(key, number, body)
        if number == 1:
            parking.park(record, reason)
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
        "APPLICATION  KEY  BEHIND  SINCE",
        "inventory    o-2  0       12h",
        "    NotAnEventError: it is none",
        "shipping     o-1  2       12h",
        "    NotAnEventError: it is none",
    ]
    assert "o-1" not in run(resources, "list", "inventory").output


def test_an_empty_list_says_so() -> None:
    """Nothing parked is said, not left to be guessed."""
    assert run(MemoryResources(), "list").output == "nothing is parked\n"


def test_show_keeps_payloads_to_itself() -> None:
    """Payloads are printed only when asked for, and then without what a terminal would act on."""
    resources = MemoryResources()
    park(resources, b"secret \x1b[2J\xff", b"two")
    shown = run(resources, "show", "shipping", "o-1")
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert [line.split("  ")[:2] for line in lines[::2]] == [
        ["1/0", "no event but binary data, 12 bytes, begins with the bytes 73 65 63 72"],
        ["2/0", "no event but text, 3 bytes, begins with the bytes 74 77 6f"],
    ]
    assert "secret" not in shown.output
    assert "secret \\x1b[2J\\xff" in run(resources, "show", "shipping", "o-1", "--data").output


def test_show_of_an_unknown_key_is_an_error() -> None:
    """A key that is not parked ends with status 1 and a sentence."""
    result = run(MemoryResources(), "show", "shipping", "o-9")
    assert result.exit_code == 1
    assert isinstance(result.exception, NotDoneError)
    assert str(result.exception) == "nothing is parked for shipping under o-9"


def release(order_id: str) -> bytes:
    return envelope_of(
        ReleaseStock(order_id=order_id), source="saga", event_id=f"release-{order_id}", time=ARRIVAL
    ).encode()


def test_redrive_carries_out_through_the_applications_own_handler() -> None:
    """What inventory parked is answered by inventory, and the key is free afterwards."""
    resources = MemoryResources()
    park(resources, release("o-1"), application="inventory")
    assert "ReleaseStock of order o-1" in run(resources, "show", "inventory", "o-1").output
    result = run(resources, "redrive", "inventory", "o-1")
    assert (result.exit_code, result.output) == (0, "1 carried out; o-1 is not parked any more\n")
    assert [decode_envelope(data).type.rpartition(".")[2] for data in resources.publisher.published] == [
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
    assert behind(resources, "inventory") == [1]


def test_nothing_to_discard_is_an_error() -> None:
    """A key that is not parked ends with status 1 and a sentence."""
    result = run(MemoryResources(), "discard", "shipping", "o-9")
    assert (result.exit_code, "nothing is parked" in str(result.exception)) == (1, True)


def test_a_redrive_lifts_a_mark_that_was_left_behind() -> None:
    """After a redrive that ended before it lifted the mark, another one does."""
    resources = MemoryResources()
    park(resources, b"one", key="o-9")
    (entry,) = resources.store.query(PARKING.name, "shipping/o-9")
    resources.store.transact([Delete(entry.table, entry.key, entry.version, sort=entry.sort)])
    result = run(resources, "redrive", "shipping", "o-9")
    assert (result.exit_code, result.output) == (0, "0 carried out; o-9 is not parked any more\n")
    assert run(resources, "list").output == "nothing is parked\n"


def test_discard_asks_and_leaves_the_rest() -> None:
    """Only a yes discards, only the first record, and what is left waits for its redrive."""
    resources = MemoryResources()
    park(resources, b"broken", release("o-1"), application="inventory")
    refused = run(resources, "discard", "inventory", "o-1", answer="n\n")
    assert (refused.exit_code, behind(resources, "inventory")) == (1, [1])
    done = run(resources, "discard", "inventory", "o-1", answer="y\n")
    assert (done.exit_code, "1 behind stay parked" in done.output) == (0, True)
    assert run(resources, "redrive", "inventory", "o-1").exit_code == 0


WHO = ("--operator", "night-shift", "--reason", "a bad deploy")


def test_who_did_it_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Operator, reason, key, position and cause, of discards, redrives and payments; no payload."""
    resources = MemoryResources()
    park(resources, b"secret")
    park(resources, release("o-2"), application="inventory", key="o-2")
    resources.payment_dead_letters.send("o-7")
    assert run(resources, "discard", "shipping", "o-1", "--yes", *WHO).exit_code == 0
    assert run(resources, "redrive", "inventory", "o-2", *WHO).exit_code == 0
    assert run(resources, "discard", "payment-worker", "o-7", "--yes", *WHO).exit_code == 0
    kept = json.loads(run(resources, "history", "--json").output)
    assert {(one["application"], one["partition_key"], one["action"]) for one in kept} == {
        ("shipping", "o-1", "discard"),
        ("inventory", "o-2", "redrive"),
        ("payment-worker", "o-7", "discard"),
    }
    assert {(one["operator"], one["reason"], one["records"]) for one in kept} == {
        ("night-shift", "a bad deploy", 1)
    }
    (discarded,) = [one for one in kept if one["application"] == "shipping"]
    assert (discarded["first_position"], discarded["parked_for"]) == ("1/0", "NotAnEventError: it is none")
    told = run(resources, "history").output
    assert told.splitlines()[0].split() == ["WHEN", "APPLICATION", "KEY", "ACTION", "RECORDS", "OPERATOR"]
    assert "secret" not in told + json.dumps(kept) + caplog.text


def test_nothing_is_discarded_without_a_name_beside_it() -> None:
    """The record of a discard is written in its transaction; an operator without a name is refused."""
    resources = MemoryResources()
    park(resources, b"one")
    assert run(resources, "discard", "shipping", "o-1", "--yes", "--operator", " ").exit_code == 2
    assert behind(resources, "shipping") == [0]
    assert run(resources, "history").output == "no record has been redriven or discarded\n"


def behind(resources: MemoryResources, application: str) -> list[int]:
    listed = json.loads(run(resources, "list", application, "--json").output)
    return [one["behind"] for one in listed]


@pytest.mark.parametrize("command", ["redrive", "discard"])
def test_a_mistyped_key_is_an_error(command: str) -> None:
    """A typo does not look like success, with parked keys beside it or with none."""
    resources = MemoryResources()
    park(resources, b"one")
    for application in ("shipping", "inventory"):
        result = run(resources, command, application, "o-11", *(("--yes",) if command == "discard" else ()))
        assert (result.exit_code, str(result.exception)) == (
            1,
            f"nothing is parked for {application} under o-11",
        )
    assert run(resources, "history").output == "no record has been redriven or discarded\n"


def test_many_keys_are_redriven_at_once() -> None:
    """The count is confirmed first; what fails again is named, the others go on, the status tells of it."""
    resources = MemoryResources()
    for number in range(4):
        park(resources, release(f"o-{number}"), application="inventory", key=f"o-{number}")
    park(resources, b"broken", application="inventory", key="o-9")
    refused = run(resources, "redrive", "inventory", "--all", answer="n\n")
    assert refused.exit_code == 1
    assert "Redrive 5 keys of inventory, with 0 more records behind the first ones?" in refused.output
    assert len(behind(resources, "inventory")) == 5
    done = run(resources, "redrive", "inventory", "--all", "--yes", *WHO)
    assert (done.exit_code, "4 carried out; 1 of 5 keys stay parked" in done.output) == (1, True)
    assert "o-9: stopped after 0" in done.output
    assert len(behind(resources, "inventory")) == 1


def test_many_keys_are_chosen_by_their_reason() -> None:
    """Those with the text in their reason and no others; first ones only, or all with what waits behind."""
    resources = MemoryResources()
    for number in range(3):
        park(resources, b"one", b"two", key=f"o-{number}")
    park(resources, b"one", key="other", reason="ValueError: something else")
    assert run(resources, "discard", "shipping", "--parked-for", "nothing such", "--yes").exit_code == 1
    first = run(resources, "discard", "shipping", "--parked-for", "NotAnEvent", "--yes")
    assert (first.exit_code, first.output) == (0, "3 discarded; 3 behind stay parked: redrive them\n")
    rest = run(resources, "discard", "shipping", "--parked-for", "waits behind", "--behind", "--yes")
    assert (rest.exit_code, rest.output) == (0, "3 discarded; 0 behind\n")
    (left,) = json.loads(run(resources, "list", "--json").output)
    assert (left["key"], left["reason"]) == ("other", "ValueError: something else")


def test_all_of_one_key_can_be_discarded() -> None:
    """With `--behind` the followers go too, each of them written down."""
    resources = MemoryResources()
    park(resources, b"one", b"two", b"three")
    done = run(resources, "discard", "shipping", "o-1", "--behind", answer="y\n")
    assert (done.exit_code, "3 discarded; 0 behind" in done.output) == (0, True)
    assert len(json.loads(run(resources, "history", "--json").output)) == 3
    assert json.loads(run(resources, "history", "payments", "--json").output) == []


def test_many_payments_at_once() -> None:
    """All that are dead are handed back, each order once."""
    resources = MemoryResources()
    for order_id in ("o-7", "o-8", "o-8"):
        resources.payment_dead_letters.send(order_id)
    done = run(resources, "redrive", "payment-worker", "--all", "--yes")
    assert (done.exit_code, done.output) == (0, "handed back to the payment workers\n")
    assert (resources.payment_queue.depth(), resources.payment_dead_letters.depth()) == (2, 0)


@pytest.mark.parametrize("arguments", [(), ("o-1", "--all"), ("o-1", "--parked-for", "x")])
def test_one_key_or_many_and_never_both(arguments: tuple[str, ...]) -> None:
    """What is meant has to be clear."""
    for command in ("redrive", "discard"):
        assert run(MemoryResources(), command, "shipping", *arguments).exit_code == 2


def test_programs_read_json() -> None:
    """What is shown as text is given as data too, payloads only when asked for."""
    resources = MemoryResources()
    park(resources, b"secret", b"two")
    (listed,) = json.loads(run(resources, "list", "--json").output)
    assert (listed["application"], listed["key"], listed["behind"]) == ("shipping", "o-1", 1)
    assert listed["since"].startswith("2026-01-01T")
    first, second = json.loads(run(resources, "show", "shipping", "o-1", "--json").output)
    assert (first["position"], "data" in first, second["position"]) == ("1/0", False, "2/0")
    assert (
        json.loads(run(resources, "show", "shipping", "o-1", "--json", "--data").output)[0]["data"]
        == "secret"
    )


def test_dead_letters_of_payments_are_listed_with_the_rest() -> None:
    """The payment worker's stand beside what the applications park, and can be looked at one by one."""
    resources = MemoryResources()
    resources.payment_dead_letters.send("o-7")
    assert "payment-worker  o-7  0" in run(resources, "list").output
    assert "nothing is parked" in run(resources, "list", "shipping").output
    shown = run(resources, "show", "payment-worker", "o-7").output
    assert shown.startswith("payment of order o-7, received 2 times")
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
