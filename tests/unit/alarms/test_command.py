"""`orderstream local alarms`, over the logs of an environment: for a person, and for a program."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from orderstream.observability.metrics import AggregatingMeter
from orderstream.observability.metrics.emf import emf_lines
from orderstream_consumer.processing.metrics import HEALTHY, PARKED
from orderstream_playground.cli.local import local
from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_playground.local.lifecycle import EnvironmentState
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings

MINUTE = 4.0


def environment(home: Path, parked: int) -> None:
    """Logs of an environment that has run for some short minutes."""
    (home / "logs").mkdir(parents=True)
    state = EnvironmentState(options=EnvironmentOptions(metrics_seconds=MINUTE), ready=True)
    (home / "state.json").write_bytes(msgspec.json.encode(state))
    now = time.time()
    for process in topology(Settings()).processes:
        lines = ['{"level": "INFO", "message": "started"}']
        for minute in range(12, -1, -1):
            meter = AggregatingMeter({"Application": process.name}, clock=lambda at=now - minute * MINUTE: at)
            meter.record(HEALTHY, 1)
            if process.name == "saga":
                meter.record(PARKED, parked)
            lines += emf_lines(meter.collect(), "Orderstream")
        (home / "logs" / f"{process.name}.log").write_text("\n".join([*lines, '{"_aws": {"Timest']))


def asked(home: Path, *options: str) -> Result:
    return CliRunner().invoke(local, ["alarms", "--home", str(home), *options], env={"COLUMNS": "80"})


def test_a_healthy_environment_rings_nothing(tmp_path: Path) -> None:
    """One line says how many alarms are how, and names what nothing here measures; exit status 0."""
    environment(tmp_path, parked=0)
    said = asked(tmp_path)
    assert said.exit_code == 0, said.output
    assert "OK" in said.output
    assert "1 not measured locally: gateway-failing" in " ".join(said.output.split())
    assert "ALARM" not in said.output


def test_what_rings_is_told_with_its_sentence_and_its_runbook(tmp_path: Path) -> None:
    """Whoever looks sees what to do first, at 80 columns; exit status 1."""
    environment(tmp_path, parked=2)
    said = asked(tmp_path)
    assert said.exit_code == 1, said.output
    text = " ".join(said.output.split())
    for words in ("saga-parked", "orderstream dlq list", "docs/operations.md#a-record-is-parked", "now 2"):
        assert words in text
    assert max(len(line) for line in said.output.splitlines()) <= 80


def test_all_of_them_as_a_table_and_as_json(tmp_path: Path) -> None:
    """Every alarm has a row, whatever its state; what is not measured is never OK."""
    environment(tmp_path, parked=2)
    listed = asked(tmp_path, "--all")
    found = json.loads(asked(tmp_path, "--json").output)
    states = {alarm["name"]: alarm["state"] for alarm in found}
    assert all(name in listed.output for name in states)
    assert max(len(line) for line in listed.output.splitlines()) <= 80
    assert (states["saga-parked"], states["api-unhealthy"]) == ("ALARM", "OK")
    assert states["gateway-failing"] == "not measured locally"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_an_environment_it_says_how_to_start_one(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Nothing to look at is no health."""
    said = asked(tmp_path / "none", *options)
    assert said.exit_code != 0
    assert "orderstream local up" in str(said.exception)
