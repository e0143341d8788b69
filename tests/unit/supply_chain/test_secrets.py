"""A secret that somebody left in a file is found, and an example is not taken for one."""

from pathlib import Path

import pytest

from supply_chain.lock import ROOT
from supply_chain.secrets import EXAMPLES, suspects

# Put together here, so that this file holds none of them.
PLANTED = {
    "an AWS key": "AKIA" + "Q3EGUZJ5BTW7YKMP",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a password of a database": "postgresql://orders:" + "kR7wq2Lp@db.internal/orders",
    "a password of a setting": "password = " + '"kR7wq2LpX9"',
    "a token of GitHub": "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8",
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_secret_is_found(tmp_path: Path, text: str) -> None:
    """In any file, with its line and without itself."""
    file = tmp_path / "settings.py"
    file.write_text(f"\n{text}\n")
    found = [each for each in suspects([file]) if each.word not in EXAMPLES]
    assert found
    assert found[0].line == 2
    assert found[0].word not in str(found[0])


def test_the_examples_of_the_readme_are_none() -> None:
    """What a newcomer copies out of the README needs no reason."""
    assert list(map(str, suspects([ROOT / "README.md"]))) == []
