"""No region is guessed where AWS itself is meant."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.settings import SettingsError


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment without AWS, and a file for profiles."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    (tmp_path / "config").write_text("[profile frankfurt]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return monkeypatch


def test_the_environment_comes_before_the_profile(variables: pytest.MonkeyPatch) -> None:
    """As every AWS SDK does it."""
    variables.setenv("AWS_PROFILE", "frankfurt")
    assert region() == "eu-central-1"
    variables.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert region() == "eu-west-1"
    variables.setenv("AWS_REGION", "eu-west-2")
    assert region() == "eu-west-2"


def test_only_an_emulator_has_a_default(variables: pytest.MonkeyPatch) -> None:
    """A guess could be another's streams and tables; an emulator answers in every region."""
    with pytest.raises(SettingsError, match="AWS_REGION"):
        region()
    variables.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert region() == "us-east-1"


def test_a_profile_that_is_not_there_is_one_sentence(variables: pytest.MonkeyPatch) -> None:
    """It is named, and no traceback of botocore's comes up."""
    variables.setenv("AWS_PROFILE", "missing")
    with pytest.raises(SettingsError, match="missing"):
        region()
