"""Settings come from the environment, are checked once, and say what is wrong."""

import pytest

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
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    """A value out of range or of another type is refused with the setting's name."""
    with pytest.raises(SettingsError, match=f"(?i){name.removeprefix('ORDERSTREAM_')}"):
        Settings.from_environment({name: value})
