"""Lifecycle: which shards there are to work on, and the life of each on its worker."""

from orderstream_consumer.engines.embedded.lifecycle.shard_consumer import ShardConsumer
from orderstream_consumer.engines.embedded.lifecycle.shard_lifecycle import ShardLifecycle, State
from orderstream_consumer.engines.embedded.lifecycle.shard_sync import leases_to_create

__all__ = ["ShardConsumer", "ShardLifecycle", "State", "leases_to_create"]
