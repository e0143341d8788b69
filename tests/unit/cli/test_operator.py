"""Who is at work by hand: a token's subject where there is a token, else the word of the command line."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fakes.callers import POLICY, claims, key_set, signing_key
from fakes.operating import MemoryResources
from orderstream.errors import DependencyError
from orderstream_workers.cli.goods.stock import stock
from orderstream_workers.cli.operator import TOKEN_VARIABLE, Operator
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.runtime.settings import Settings, SettingsError

KEY = signing_key("ES256")


@pytest.fixture
def resources(tmp_path: Path) -> MemoryResources:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(KEY))
    settings = Settings(jwt_issuer=POLICY.issuer, jwt_audience=POLICY.audience, jwt_keys=str(file))
    return MemoryResources(settings)


def token(resources: MemoryResources, **more: Any) -> str:
    return KEY.sign(claims(now=resources.clock(), **{"scope": "orders:operate", "caller": "ann", **more}))


def test_a_token_says_who_is_at_work(resources: MemoryResources) -> None:
    """Its subject, whatever the user of the machine is called."""
    assert Operator("root", token(resources)).name(resources) == "ann"
    assert Operator("root").name(resources) == "root"


def test_a_token_has_to_be_valid_and_to_grant_it(resources: MemoryResources) -> None:
    """A customer's token is no operator's; the error says what is wrong and what to do."""
    with pytest.raises(NotDoneError, match="does not grant orders:operate"):
        Operator("root", token(resources, scope="orders:write orders:read")).name(resources)
    with pytest.raises(NotDoneError, match="not valid: expired"):
        Operator("root", token(resources, exp=1)).name(resources)


def test_without_keys_or_settings_a_token_says_nothing(resources: MemoryResources, tmp_path: Path) -> None:
    """Then the name of the user is not taken in its stead."""
    given = token(resources)
    (tmp_path / "keys.json").unlink()
    with pytest.raises(DependencyError, match="No such file"):
        Operator("root", given).name(resources)
    with pytest.raises(SettingsError, match="ORDERSTREAM_JWT_ISSUER"):
        Operator("root", given).name(MemoryResources(Settings()))


def test_a_name_beside_a_token_is_refused_and_neither_is_shown(resources: MemoryResources) -> None:
    """Two answers to who does it are none. No help shows an option for the token: it is no command line's."""
    arguments = ["receive", "85123A", "5", "--reason", "delivery", "--operator", "bob"]
    found = CliRunner().invoke(stock, arguments, obj=resources, env={TOKEN_VARIABLE: token(resources)})
    assert found.exit_code == 2
    assert TOKEN_VARIABLE in found.output
    assert "--operator-token" not in CliRunner().invoke(stock, ["receive", "--help"]).output


def test_a_correction_of_stock_carries_the_token_s_subject(resources: MemoryResources) -> None:
    """From the environment variable into the event that stands in the stock's item."""
    arguments = ["receive", "85123A", "5", "--reason", "delivery", "--key", "k-1"]
    found = CliRunner().invoke(stock, arguments, obj=resources, env={TOKEN_VARIABLE: token(resources)})
    assert found.exit_code == 0, found.output
    (item,) = resources.store.scan("stock")
    assert "ann" in str(item)
