"""Reading everything again changes no book."""

from chaos.replay import at_rest, replay_violations


def test_a_second_charge_and_a_lost_unit_are_found() -> None:
    """Each entry that came or went is named."""
    before = {"charges": frozenset({"capture o-1"}), "stock": frozenset({"85123A 5"})}
    after = {"charges": frozenset({"capture o-1", "capture o-1 again"}), "stock": frozenset()}
    assert list(replay_violations(before, after)) == [
        "replay: charges has got capture o-1 again",
        "replay: stock had 85123A 5",
    ]
    assert not list(replay_violations(before, before))


def test_what_is_still_wrong_when_patience_ends_is_given() -> None:
    """A pipeline that never comes to rest says why."""
    assert at_rest(lambda: ["behind"], patience=-1.0) == ["behind"]
    assert at_rest(list, patience=-1.0) == []
