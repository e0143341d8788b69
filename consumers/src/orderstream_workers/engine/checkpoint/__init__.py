"""Checkpoints: how a processor says how far its shard is done."""

from orderstream_workers.engine.checkpoint.checkpointer import CallCheckpointer, ShardCheckpoints

__all__ = ["CallCheckpointer", "ShardCheckpoints"]
