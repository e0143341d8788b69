"""What a consumer says where boto3 finds no region, no credentials, no profile."""

from pathlib import Path

import pytest

from fakes.bare_machine import forget_aws
from orderstream import AwsSettingsError
from orderstream_consumer import Consumer


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    forget_aws(monkeypatch, tmp_path)
    return monkeypatch


def consumer() -> Consumer:
    return Consumer("billing", stream="orders", handler=print)


def test_a_missing_region_says_what_to_set(bare: pytest.MonkeyPatch) -> None:
    """The sentence names the consumer's own setting first."""
    bare.setenv("AWS_ACCESS_KEY_ID", "key")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(AwsSettingsError, match="no AWS region was found: set region_name of ConsumerConfig"):
        consumer()


@pytest.mark.usefixtures("bare")
def test_missing_credentials_say_what_to_set() -> None:
    """Or what may be passed instead."""
    with pytest.raises(AwsSettingsError, match=r"no AWS credentials were found: .* pass session= or clients"):
        consumer()


def test_an_unknown_profile_is_named(bare: pytest.MonkeyPatch) -> None:
    """A session cannot even be made with it, and still the error is ours."""
    bare.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsSettingsError, match=r"nobody.*set AWS_PROFILE"):
        consumer()
