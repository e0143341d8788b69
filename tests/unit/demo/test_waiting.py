"""The demo's wait for the end of everything, beside the workers that it waits for."""

import pytest

from orderstream_playground.demo.run import pause_after


@pytest.mark.parametrize(("looked_for", "pause"), [(0.01, 0.5), (0.25, 1.0), (30.0, 2.0)])
def test_a_long_look_is_followed_by_a_long_pause(looked_for: float, pause: float) -> None:
    """Looking takes a fifth of the time, yet two looks always fit into the calm that counts as the end."""
    assert pause_after(looked_for) == pause
