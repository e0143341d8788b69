"""Checkpoints: how a processor says how far its shard is done."""

from orderstream_consumer.engines.embedded.checkpoint.checkpointer import CallCheckpointer, ShardCheckpoints

__all__ = ["CallCheckpointer", "ShardCheckpoints"]
