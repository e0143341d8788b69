"""How the size of a transaction follows contention."""

from orderstream_workers.services.inventory.chunk import MAX_CHUNK, MAX_CONFLICTS, Chunk


def conflicts(count: int) -> Chunk:
    chunk = Chunk()
    for _ in range(count):
        chunk = chunk.after_conflict()
    return chunk


def test_a_conflict_halves_down_to_one_line() -> None:
    """25, 12, 6, 3, 1, and never less than a line."""
    assert [conflicts(count).size for count in range(7)] == [25, 12, 6, 3, 1, 1, 1]


def test_a_commit_doubles_up_to_the_most() -> None:
    """After contention the size grows again, up to the cap."""
    chunk = conflicts(6)
    sizes = []
    for _ in range(6):
        chunk = chunk.after_commit()
        sizes.append(chunk.size)
    assert sizes == [2, 4, 8, 16, MAX_CHUNK, MAX_CHUNK]


def test_only_conflicts_in_a_row_exhaust() -> None:
    """Each commit is progress: the count starts again, so a long order is not given up half-way."""
    assert not conflicts(MAX_CONFLICTS - 1).exhausted
    assert conflicts(MAX_CONFLICTS).exhausted
    assert not conflicts(MAX_CONFLICTS).after_commit().exhausted


def test_the_delay_is_random_and_bounded() -> None:
    """Full jitter: between nothing and an exponential bound of at most 0.2 s, so that two workers part."""
    assert conflicts(1).delay(0.0) == 0.0
    assert conflicts(1).delay(1.0) == 0.01
    assert conflicts(2).delay(0.5) == 0.01
    assert conflicts(9).delay(1.0) == 0.2
