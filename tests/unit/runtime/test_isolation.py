"""What works on emulators of this machine hears nothing of the shell's AWS and of its proxies."""

import os

import pytest

from orderstream_workers.runtime.isolation import isolated

FOREIGN = {
    "AWS_ENDPOINT_URL_DYNAMODB": "http://elsewhere",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "token",
    "AWS_CA_BUNDLE": "/bundle",
    "ORDERSTREAM_TABLE_PREFIX": "prod-",
}


def test_foreign_settings_do_not_get_through() -> None:
    """Of AWS_* and ORDERSTREAM_* only the local environment's own are left, and no file adds to them."""
    found = isolated({"PATH": "/bin", **FOREIGN}, {"AWS_REGION": "us-east-1"})
    assert found["PATH"] == "/bin"
    assert {name: value for name, value in found.items() if name.startswith(("AWS_", "ORDERSTREAM_"))} == {
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@pytest.mark.parametrize(
    ("given", "direct"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "intranet"}, "intranet,127.0.0.1,localhost"),
        ({"no_proxy": "first", "NO_PROXY": "second"}, "first,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_the_loopback_interface_is_reached_without_a_proxy(given: dict[str, str], direct: str) -> None:
    """The proxy stays, for what is elsewhere; both spellings say the same, since programs differ."""
    found = isolated({"HTTP_PROXY": "http://proxy:3128", **given}, {})
    assert found["HTTP_PROXY"] == "http://proxy:3128"
    assert (found["no_proxy"], found["NO_PROXY"]) == (direct, direct)
