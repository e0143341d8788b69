"""Everything goes wrong at once, by two fixed seeds; more of them are played by ``make chaos``."""

from pathlib import Path

import pytest

from chaos.run import Job, Run


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [102, 103])
def test_the_books_balance_whatever_happens(seed: int, tmp_path: Path) -> None:
    """Processes are killed, frozen and rolled, shards split, servers fail: every order ends as it should."""
    verdict = Run(Job("all", seed, "embedded", limit=40, seconds=20.0), tmp_path).play()
    assert verdict.broke == (), verdict.line
