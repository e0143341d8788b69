"""Settings come from the environment, are checked once, and say what is wrong."""

import logging
import re
from pathlib import Path

import pytest

import orderstream_workers
from orderstream_workers.runtime.guide import rendered
from orderstream_workers.runtime.settings import Settings, SettingsError


def test_settings_survive_the_environment() -> None:
    """What one process writes into a child's environment is what the child reads."""
    settings = Settings(stream="events", payments_per_second=12.5, max_lanes=3)
    assert Settings.from_environment(settings.to_environment()) == settings


def test_an_empty_environment_gives_the_defaults() -> None:
    """Every setting has a default."""
    assert Settings.from_environment({}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORDERSTREAM_MAX_LANES", "0"),
        ("ORDERSTREAM_MAX_LANES", "many"),
        ("ORDERSTREAM_PAYMENTS_PER_SECOND", "0"),
        ("ORDERSTREAM_FAILOVER_SECONDS", "0.5"),
        ("ORDERSTREAM_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    """A value out of range or of another type is refused with the setting's name."""
    with pytest.raises(SettingsError, match=f"(?i){name.removeprefix('ORDERSTREAM_')}"):
        Settings.from_environment({name: value})


def test_a_variable_that_no_setting_has_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt setting would leave the default in force without a word."""
    environment = {"ORDERSTREAM_MAX_LANE": "3", "ORDERSTREAM_HOME": ".local", "PATH": "/bin"}
    with caplog.at_level(logging.WARNING):
        Settings.warn_of_unknown(environment)
    (record,) = caplog.records
    assert (record.__dict__["variable"], record.__dict__["meant"]) == (
        "ORDERSTREAM_MAX_LANE",
        "ORDERSTREAM_MAX_LANES",
    )


def test_every_variable_that_the_code_names_is_known() -> None:
    """Nobody is warned about a variable that some part of the product reads or writes."""
    sources = Path(orderstream_workers.__file__).parent.rglob("*.py")
    named = {
        name for source in sources for name in re.findall(r'"(ORDERSTREAM_[A-Z_]+)"', source.read_text())
    }
    assert "ORDERSTREAM_HOME" in named
    assert Settings.unknown(dict.fromkeys(named, "")) == {}


def test_the_operations_guide_has_every_setting() -> None:
    """Its table is written by ``python -m orderstream_workers.runtime.guide``."""
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    assert rendered(page) == page
    assert all(f"`{variable}`" in page for variable in Settings.variables().values())
