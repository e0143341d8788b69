"""What an operator sees of parked records, and does with them."""

from click.testing import CliRunner, Result

from fakes.engine import ARRIVAL, record_of
from fakes.operating import MemoryResources
from orderstream_workers.cli.dlq import dlq
from orderstream_workers.engine.delivery import StoredParking


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
    assert [line.split("  ")[:2] for line in shown.output.splitlines()[::2]] == [
        ["1/0", "no event"],
        ["2/0", "no event"],
    ]
    assert "secret" not in shown.output
    assert "secret \\x1b[2J\\xff" in run(resources, "show", "shipping", "o-1", "--data").output


def test_show_of_an_unknown_key_is_an_error() -> None:
    """A key that is not parked ends with status 1 and a sentence."""
    result = run(MemoryResources(), "show", "shipping", "o-9")
    assert (result.exit_code, result.output) == (1, "Error: nothing is parked for shipping under o-9\n")
