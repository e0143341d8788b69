"""What an operator sees of all applications at once, and what a script makes of it."""

import datetime as dt
import json

import pytest
from click.testing import CliRunner, Result

from fakes.operating import NOW, MemoryResources
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.ownership import EngineOwnership
from orderstream_consumer.processing.record import Position
from orderstream_workers.cli.status import status
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.settings import Settings

APPLICATIONS = application_names(Settings())


def pipeline(*ended: str, done_until: dt.datetime = NOW) -> MemoryResources:
    """Every application on one shard, all done until a moment; the workers of some have ended."""
    resources = MemoryResources()
    ownerships = {
        name: EngineOwnership(resources.store, name, "embedded", worker_id="w", expiry=10)
        for name in APPLICATIONS
    }
    for name, ownership in ownerships.items():
        ownership.renew()
        held = Lease(
            lease_key="shardId-000000000000", lease_owner="w", checkpoint=Position(7), done_until=done_until
        )
        resources.leases(name).create_if_absent(held)

    def work() -> None:
        for name in set(APPLICATIONS) - set(ended):
            ownerships[name].renew()
            (held,) = resources.leases(name).list_leases()
            resources.leases(name).replace(held, held.renewed())

    resources.meanwhile = work
    return resources


def run(resources: MemoryResources, *arguments: str) -> Result:
    return CliRunner().invoke(status, arguments, obj=resources)


def test_all_is_well() -> None:
    """A line an application, one for the payment queue, and exit status 0."""
    result = run(pipeline())
    lines = result.output.splitlines()
    assert (result.exit_code, len(lines)) == (0, len(APPLICATIONS) + 2)
    assert lines[0] == "APPLICATION    ENGINE    SHARDS  WORKERS  CAUGHT UP  PARKED"
    assert "inventory      embedded  1 of 1  1        now        0" in lines
    assert lines[-1] == "queue orderstream-payments: 0 waiting, 0 dead letters"
    assert max(map(len, lines)) <= 80


def test_what_is_wrong_stands_below_its_application() -> None:
    """Exit status 1, and a sentence; the others are shown as they are."""
    result = run(pipeline("saga"))
    lines = result.output.splitlines()
    assert result.exit_code == 1
    index = lines.index("saga           embedded  0 of 1  0        0s ago     0")
    assert lines[index + 1] == "    no worker runs: no embedded worker has renewed its ownership for 11 s"
    assert len([line for line in lines if line.startswith("    ")]) == 1


@pytest.mark.parametrize(("seconds", "said"), [(64, "now"), (300, "5m ago")])
def test_an_engine_notes_a_minute_late_that_it_has_caught_up(seconds: int, said: str) -> None:
    """What is done up to a minute ago is done; what is not, is said with its age."""
    result = run(pipeline(done_until=NOW - dt.timedelta(seconds=seconds)))
    (line,) = (line for line in result.output.splitlines() if line.startswith("inventory"))
    assert line == f"inventory      embedded  1 of 1  1        {said:<9}  0"


def test_programs_read_json() -> None:
    """The verdict first, every shard with its owner, times in RFC 3339; the exit status is the same."""
    good, bad = run(pipeline(), "--json"), run(pipeline("saga"), "--json")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    found = json.loads(good.output)
    assert (found["healthy"], found["queues"][0]["dead_letters"]) == (True, 0)
    shard = found["applications"][0]["shards"][0]
    assert (shard["owner"], shard["renewed"], shard["checkpoint"]) == ("w", True, "7/0")
    assert not json.loads(bad.output)["healthy"]
