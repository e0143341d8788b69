"""The check of the house vocabulary finds what it forbids. ``make lint`` runs it over every file."""

import re

import pytest

from docs.vocabulary import WORDS, violations


@pytest.mark.parametrize(
    ("path", "line", "wanted"),
    [
        ("docs/design.md", "The emitter publishes it.", "publisher"),
        ("consumers/x.py", "class KinesisEmitter:", "publisher"),
        ("docs/design.md", "It counts foreign aggregates.", "wrong-shard aggregate"),
        ("docs/design.md", "Before aggregates are opened.", "deaggregated"),
        ("consumers/x.py", "keeper = LeaseKeeper(table)", "LeaseCoordinator"),
        ("consumers/x.py", 'logger.warning("engine\'s mark not renewed")', "EngineOwnership, ownership"),
        ("producers/x.py", "settles: Sequence[Settle]", "Completion, Complete, completed, outstanding"),
        ("docs/design.md", "No unsettled record overlaps it.", "completed, outstanding"),
        ("producers/x.py", "class HealthAnswer(Struct):", "Response or Reply"),
        ("docs/design.md", "The answer is lost.", "response (to a call), reply (to a command)"),
        ("consumers/x.py", "class Outcome:", "a name with its qualifier"),
        ("docs/design.md", "The stream was made anew.", "again, recreated"),
        ("docs/operations.md", "Mend the cause.", "fix, repair"),
        ("docs/design.md", "It waits for ever.", "forever"),
        ("tests/x.py", "for place, key in enumerate(keys):", "position, index, number, path"),
        ("consumers/x.py", "extra={**record.place()}", "position_fields(), record_id"),
        ("consumers/x.py", "A stream that places records itself", "distributes (AWS: record distribution)"),
        ("consumers/x.py", 'Column("settled_at", UtcTime),', "ended"),
        ("tests/x.py", "access = Ownership(store)", "OrderAccess (an engine has the ownership)"),
    ],
)
def test_a_planted_word_is_found(path: str, line: str, wanted: str) -> None:
    """The finding names the file, the line and the word to write."""
    (found,) = violations(path, f"first\n{line}\n")
    assert found.startswith(f"{path}:2: write '{wanted}' instead of ")


def test_prose_words_are_banned_from_documents_only() -> None:
    """A comment of code may still use them; a document may not."""
    assert list(violations("consumers/x.py", "# It is read anew, and mended")) != []
    assert list(violations("consumers/x.py", "# It mends itself")) == []
    assert len(list(violations("README.md", "It mends itself"))) == 1


def test_former_words_may_stand_in_the_history() -> None:
    """The changelog and the decisions tell what was."""
    assert list(violations("CHANGELOG.md", "The emitter")) == []


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.wanted)
def test_a_wanted_word_is_no_banned_one(word: object) -> None:
    """Else the advice leads from one finding to the next."""
    assert not any(re.search(other.banned, word.wanted) for other in WORDS)  # type: ignore[attr-defined]
