"""What ``orderstream order`` says where there is nothing to look at."""

from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderstream_workers.cli.order import order
from orderstream_workers.cli.target import TargetError


def test_without_an_environment_it_says_how_to_start_one(tmp_path: Path) -> None:
    """Where nothing is up and no read model is named, no database is made up, and the way on is named."""
    runner = CliRunner(env={"ORDERSTREAM_READ_MODEL_URL": None})
    with chdir(tmp_path):
        result = runner.invoke(order, ["show", "any", "--home", "nowhere"])
    assert list(tmp_path.iterdir()) == []
    assert isinstance(result.exception, TargetError)
    with pytest.raises(TargetError, match="orderstream local up"):
        raise result.exception


def test_a_trace_and_a_cost_are_two_answers() -> None:
    """Neither option is silently ignored."""
    result = CliRunner().invoke(order, ["show", "any", "--trace", "--cost"])
    assert result.exit_code == 2
    assert "ask for one of them" in result.output
