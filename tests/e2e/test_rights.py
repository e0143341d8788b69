"""The pipeline with the rights that its stacks give it."""

import pytest

from rights.enforced import refusals
from rights.roles import roles


@pytest.mark.timeout(1200)
def test_the_demo_balances_with_the_synthesized_roles() -> None:
    """Orders go through every service while all that the roles do not allow is refused: nothing is."""
    assert refusals(roles(), 40, until_refused=False) == ([], 0)
