"""The examples run as they stand, as processes that SIGTERM ends, over emulators."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.consumer.emulated import Aws, Running, emulated

EXAMPLES = Path(__file__).parents[3] / "consumers" / "library" / "examples"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Emulators for all examples."""
    with emulated(tmp_path_factory.mktemp("aws") / "home") as made:
        yield made


def test_every_example_is_tested() -> None:
    """A new example needs a test here."""
    assert {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py")} == {
        "asyncio_service.py",
        "container/billing.py",
        "script.py",
    }


def printed(lines: list[str]) -> list[str]:
    """What the script printed; the library's warnings stand among it."""
    return [line for line in lines if "\t" in line]


def test_the_script_prints_and_goes_on_where_it_was_stopped(aws: Aws) -> None:
    """SIGTERM drains it: what it printed is checkpointed, its lease is let go of, nothing comes twice."""
    aws.put("script", 4)
    script = str(EXAMPLES / "script.py")
    first = Running(script, "script", variables=aws.variables, folder=EXAMPLES)
    first.wait_for(lambda lines: len(printed(lines)) >= 4)
    assert first.terminate() == 0
    assert sorted(printed(first.lines)) == ["key-0\t0", "key-0\t2", "key-1\t1", "key-1\t3"]
    assert [lease.get("leaseOwner") for lease in aws.leases("printer")] == [None]
    aws.kinesis.put_record(StreamName="script", Data=b"4", PartitionKey="key-0")
    second = Running(script, "script", variables=aws.variables, folder=EXAMPLES)
    second.wait_for(lambda lines: len(printed(lines)) >= 1)
    assert second.terminate() == 0
    assert printed(second.lines) == ["key-0\t4"]


def test_the_asyncio_service_consumes_beside_its_own_work(aws: Aws) -> None:
    """It says when it is ready, and ends with the service's own signal handling."""
    last = aws.put("service", 6)
    service = Running(
        str(EXAMPLES / "asyncio_service.py"), "service", variables=aws.variables, folder=EXAMPLES
    )
    service.wait_for(lambda lines: "ready" in lines)

    def is_done(_: list[str]) -> bool:
        return any(lease["checkpoint"]["S"] == last for lease in aws.leases("counter"))

    service.wait_for(is_done)
    assert service.terminate() == 0
    assert service.lines[-1] in {"{'key-0': 3, 'key-1': 3}", "{'key-1': 3, 'key-0': 3}"}


def test_the_container_bills_batches(aws: Aws) -> None:
    """As its Dockerfile starts it; a record that is no bill waits in the application's table."""
    aws.kinesis.create_stream(StreamName="bills", ShardCount=1)
    aws.kinesis.get_waiter("stream_exists").wait(StreamName="bills", WaiterConfig={"Delay": 1})
    for key, data in (("a", b'{"amount": 1}'), ("b", b"no bill"), ("c", b'{"amount": 3}')):
        aws.kinesis.put_record(StreamName="bills", Data=data, PartitionKey=key)
    container = Running(
        "-m",
        "billing",
        variables=aws.variables | {"STREAM": "bills", "HEALTH_PORT": "24999"},
        folder=EXAMPLES / "container",
    )
    container.wait_for(lambda lines: any("billed c 3" in line for line in lines))
    assert container.terminate() == 0
    assert any("billed a 1" in line for line in container.lines)
    parked = aws.dynamodb.scan(TableName="billing-parking")["Items"]
    assert any(item["sk"]["S"] == "b" for item in parked)
