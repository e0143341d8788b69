"""Which environment an operator's command works on: never a guess between two."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.lifecycle import EnvironmentState
from orderstream_playground.local.processes import RunningProcess
from orderstream_workers.cli.dlq import dlq
from orderstream_workers.cli.target import TargetChoice, TargetError, choose
from orderstream_workers.runtime.isolation import isolated

PRODUCTION = {
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
    "ORDERSTREAM_TABLE_PREFIX": "prod-",
}


@pytest.fixture
def emulator() -> Iterator[int]:
    """A port on which something of this process answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def write_state(home: Path, port: int, pid: int) -> None:
    """Write down an environment as ``local up`` does; its emulators have these ports."""
    home.mkdir()
    layout = Layout(home, EnvironmentOptions(base_port=port - 1))
    aws = RunningProcess(name="aws", pid=pid, created=0.0, port=port, health_path="/", log="", emulator=True)
    state = EnvironmentState(
        options=layout.options, environment=layout.environment, processes=(aws,), ready=True
    )
    (home / "state.json").write_bytes(msgspec.json.encode(state))


@pytest.fixture
def home(tmp_path: Path, emulator: int) -> Path:
    """The folder of an environment that is up."""
    folder = tmp_path / "home"
    write_state(folder, emulator, os.getpid())
    return folder


def test_a_local_environment_alone_is_taken_and_production_alone_too(home: Path, tmp_path: Path) -> None:
    """Where only one is there, no flag is needed."""
    assert choose(TargetChoice(home), {"PATH": "/bin"}).kind == "local"
    assert choose(TargetChoice(tmp_path / "none"), PRODUCTION).kind == "aws"


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_ENDPOINT_URL_KINESIS", "ORDERSTREAM_STREAM"])
def test_both_is_refused_until_a_flag_decides(home: Path, name: str) -> None:
    """With production's variables set, a local environment does not answer for it, and neither way round."""
    both = {name: "something", "PATH": "/bin"}
    with pytest.raises(TargetError, match=f"{name}.*--local or --aws"):
        choose(TargetChoice(home), both)
    local = choose(TargetChoice(home, "local"), both)
    assert (local.kind, local.variables.get(name)) == ("local", isolated({}, _variables(home)).get(name))
    assert choose(TargetChoice(home, "aws"), both).variables == both


def _variables(home: Path) -> dict[str, str]:
    return dict(json.loads((home / "state.json").read_bytes())["environment"])


def test_what_shapes_a_local_environment_names_no_other(home: Path) -> None:
    """The engine and the port are chosen for `local up`; they do not point anywhere else."""
    shaped = {"ORDERSTREAM_ENGINE": "kcl", "ORDERSTREAM_BASE_PORT": "30000", "AWS_REGION": ""}
    assert choose(TargetChoice(home), shaped).kind == "local"


def test_an_environment_that_ended_is_recognised(tmp_path: Path, emulator: int) -> None:
    """A state file outlives a reboot: it is called stale, not asked, and does not hide production either."""
    write_state(tmp_path / "gone", emulator, pid=2**22 + 1)
    write_state(tmp_path / "silent", port=1, pid=os.getpid())
    for folder in ("gone", "silent"):
        with pytest.raises(TargetError, match=r"not up any more.*orderstream local down"):
            choose(TargetChoice(tmp_path / folder), {})
        with pytest.raises(TargetError, match="--local or --aws"):
            choose(TargetChoice(tmp_path / folder), PRODUCTION)


def test_a_state_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """It may stand for an environment, so it is not passed over."""
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(TargetError, match="cannot be read"):
        choose(TargetChoice(tmp_path), PRODUCTION)


def test_neither_is_refused(tmp_path: Path) -> None:
    """Nothing up and nothing named: the error names both ways on, production's first, and no AWS is asked."""
    with pytest.raises(TargetError, match=r"AWS_REGION.*orderstream local up"):
        choose(TargetChoice(tmp_path), {"PATH": "/bin"})
    with pytest.raises(TargetError, match="no environment is up"):
        choose(TargetChoice(tmp_path, "local"), PRODUCTION)


def test_the_command_line_decides(tmp_path: Path) -> None:
    """`--home` on the command line means that folder; with `--aws` it contradicts itself."""
    nothing = {name: None for name in os.environ if name.startswith(("AWS_", "ORDERSTREAM_"))}
    runner = CliRunner(env=nothing | PRODUCTION)
    named = runner.invoke(dlq, ["list", "--home", str(tmp_path / "nowhere")])
    assert isinstance(named.exception, TargetError)
    assert "no environment is up" in str(named.exception)
    assert runner.invoke(dlq, ["list", "--home", str(tmp_path), "--aws"]).exit_code == 2
    assert runner.invoke(dlq, ["list", "--local", "--aws"]).exit_code == 2
    with chdir(tmp_path):
        assert isinstance(runner.invoke(dlq, ["list", "--local"]).exception, TargetError)
