"""What a checkpoint that a processor asks for comes to: one rule under every engine, without I/O."""

from orderstream_consumer.processing.errors import CheckpointRefusedError
from orderstream_consumer.processing.record import SHARD_END, Checkpoint, Position


def checkpoint_to_write(
    shard_id: str,
    asked: Position | None,
    *,
    whole: Position | None,
    handed_over: Position | None,
    present: Checkpoint,
    shard_ends: bool,
) -> Checkpoint | None:
    """Judge a checkpoint.

    Args:
        shard_id: The shard.
        asked: The position that the processor names; None where it names none.
        whole: The position that a checkpoint without one means, unless the shard ends; None if it means none.
        handed_over: The last position that the processor was handed; None if there was none.
        present: The checkpoint as it is.
        shard_ends: Whether a checkpoint without a position means SHARD_END.

    Returns:
        What is to be written; None where nothing changes: it never goes back.

    Raises:
        CheckpointRefusedError: The position was never handed over.
    """
    if asked is None and shard_ends:
        return SHARD_END
    wanted = asked or whole
    if wanted is None:
        return None  # nothing was handed over yet, so there is nothing to note
    if handed_over is None or wanted > handed_over:
        raise CheckpointRefusedError(shard_id, f"{wanted} is beyond {handed_over}, the last handed over")
    if present == SHARD_END or (isinstance(present, Position) and wanted <= present):
        return None
    return wanted
