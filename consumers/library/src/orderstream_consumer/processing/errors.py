"""What can go wrong between a worker and its shards."""

from orderstream.errors import DependencyError, OrderstreamError


class LeaseLostError(OrderstreamError):
    """Another worker owns the shard now, or ours was not renewed in time: stop working on it.

    Args:
        lease_key: The lease, which bears its shard's id.
        reason: How we know.
    """

    def __init__(self, lease_key: str, reason: str) -> None:
        self.lease_key = lease_key
        self.reason = reason
        super().__init__(f"the lease {lease_key} is lost: {reason}; stop working on the shard")


class LeaseDeletedError(LeaseLostError):
    """The lease's row is gone: it was deleted."""

    def __init__(self, lease_key: str) -> None:
        super().__init__(lease_key, "it is no longer in the table")


class ShardGivenUpError(OrderstreamError):
    """A processor cannot go on with its shard in this process: release the lease, so that another takes it.

    Args:
        shard_id: The shard.
        reason: What keeps the processor from going on.
    """

    retryable = True

    def __init__(self, shard_id: str, reason: str) -> None:
        self.shard_id = shard_id
        self.reason = reason
        super().__init__(f"{shard_id} is given up here: {reason}; another worker begins at its checkpoint")


class CheckpointRefusedError(OrderstreamError):
    """A checkpoint was requested at a position or a moment that allows none: fix the processor.

    Args:
        shard_id: The shard.
        reason: Why it is refused.
    """

    def __init__(self, shard_id: str, reason: str) -> None:
        self.shard_id = shard_id
        self.reason = reason
        super().__init__(
            f"no checkpoint of {shard_id}: {reason}; checkpoint what the running call was handed"
        )


class ChildrenUnknownError(OrderstreamError):
    """A closed shard is listed, yet its children are not: the listing lags behind, so ask again.

    Args:
        shard_id: The closed shard.
    """

    retryable = True

    def __init__(self, shard_id: str) -> None:
        self.shard_id = shard_id
        super().__init__(
            f"{shard_id} is closed but none of its children is listed; the listing is read again"
        )


class StreamGoneError(DependencyError):
    """The stream does not exist: it was deleted, or name, account or region are not the right ones.

    Args:
        stream: The stream's name.
    """

    def __init__(self, stream: str) -> None:
        self.stream = stream
        super().__init__(
            "kinesis",
            "ListShards",
            f"the stream {stream} does not exist (if it was not deleted, correct its name, the region or the "
            "credentials)",
        )
