"""Defects that an engine is prone to; its simulation must find each, but for one that it meets too rarely."""

from planted.bug import Bug

_ENGINE = "orderstream_workers/engine"

BUGS = (
    Bug(
        "a lease expires counted from the response to its renewal instead of the sending",
        f"{_ENGINE}/leases/owned.py",
        "        self._written_at = sent_at\n",
        "        self._written_at = self._clock()\n",
    ),
    Bug(
        "an owner that cannot renew goes on after the expiry",
        f"{_ENGINE}/leases/owned.py",
        "if self._lost_because is None and self._clock() > self.expires_at:",
        "if self._lost_because is None and self._clock() > self.expires_at + self._failover_time:",
    ),
    Bug(
        "a renewal that came through earlier counts from when it is found",
        f"{_ENGINE}/leases/table.py",
        "if found.lease_owner is None and _says_the_same(found, successor):",
        "if _says_the_same(found, successor):",
    ),
    Bug(
        "a lease is stolen although the condition of the write does not hold",
        f"{_ENGINE}/leases/table.py",
        "            if table.replace(held, successor):\n                return successor\n",
        "            table.replace(held, successor)\n            return successor\n",
    ),
    Bug(
        "a write whose acknowledgement is lost counts as refused or done, whichever, without a look",
        f"{_ENGINE}/leases/table.py",
        "            failure = error\n",
        "            return successor\n",
    ),
    Bug(
        "a checkpoint goes back to what a repeated call had done",
        f"{_ENGINE}/leases/lease.py",
        "            checkpoint = self.checkpoint\n",
        "            pass\n",
        "tests/unit/engine/test_owned_lease.py",
    ),
    Bug(
        "a child begins before its parents have ended",
        f"{_ENGINE}/lifecycle/synchronizer.py",
        "            return all(lease is not None and lease.has_ended for lease in leases)\n",
        "            return all(lease is not None and lease.checkpoint for lease in leases)\n",
    ),
    Bug(
        "a shard ends though its last batch was not handled",
        f"{_ENGINE}/lifecycle/shard_consumer.py",
        "        if batch.records or batch.gap is not None:\n",
        "        if (batch.records or batch.gap is not None) and not batch.closed:\n",
    ),
    Bug(
        "a batch whose processor raised is skipped",
        f"{_ENGINE}/lifecycle/shard_consumer.py",
        "        self._busy = False\n        self._not_before = now + self._config.retry_pause\n",
        "        self._busy = False\n        self._processing = None\n",
    ),
    Bug(
        "a response without a next iterator ends an open shard",
        f"{_ENGINE}/retrieval/polling.py",
        "if read.children or (self._listed_closed and nothing_more):",
        "if read.children or nothing_more or not nothing_more:",
    ),
    Bug(
        "LATEST is read anew wherever the tip is by now",
        f"{_ENGINE}/retrieval/polling.py",
        "            if self._done_until is None:\n                return IssueIterator",
        "            if self._start:\n                return IssueIterator",
    ),
    Bug(
        "nobody is told of what retention took",
        f"{_ENGINE}/retrieval/polling.py",
        "                if not self._idle_since(read.at):\n",
        "                if self._closed:\n",
    ),
    Bug(
        "a checkpoint inside an aggregate skips the aggregate",
        f"{_ENGINE}/retrieval/opening.py",
        "if done is not None and position <= done:",
        "if done is not None and position.sequence_number <= done.sequence_number:",
    ),
    Bug(
        "an aggregate in the wrong shard is delivered",
        f"{_ENGINE}/retrieval/opening.py",
        "if content.aggregated and hash_range is not None and _is_foreign(users, hash_range):",
        "if content.aggregated and hash_range is not None and not users:",
    ),
    Bug(
        "a record without a partition key stops its shard",
        f"{_ENGINE}/retrieval/opening.py",
        'raw.get("PartitionKey") or ""',
        'raw["PartitionKey"]',
    ),
    Bug(
        "aggregates of a stream that places records itself are thrown away",
        f"{_ENGINE}/retrieval/kinesis.py",
        "if opened.foreign_aggregates and self._keys_decide_nothing():",
        "if opened.foreign_aggregates < 0 and self._keys_decide_nothing():",
    ),
    Bug(
        "a position that retention has passed is asked for again for ever",
        f"{_ENGINE}/retrieval/kinesis.py",
        "invalid = Refusal.INVALID_POSITION if by_position else Refusal.UNREACHABLE",
        "invalid = Refusal.UNREACHABLE",
    ),
    Bug(
        "from LATEST a closed shard that a merge waits for gets no lease",
        f"{_ENGINE}/lifecycle/shard_sync.py",
        "            if shard.is_open or not self.fresh.issuperset(self.children.get(shard.shard_id, ()))\n",
        "            if shard.is_open\n",
    ),
    Bug(
        "a child whose parent's lease was deleted gets none itself",
        f"{_ENGINE}/lifecycle/shard_sync.py",
        "passed = self.done | self.skipped | sufficient",
        "passed = sufficient",
    ),
    Bug(
        "a lease that has not begun proves that its parents are done",
        f"{_ENGINE}/lifecycle/shard_sync.py",
        "begun = [key for key, lease in self.leases.items() if lease.has_begun]",
        "begun = self.leases.keys() - set(at_latest)",
        "tests/property/engine/test_lineage.py",
    ),
    Bug(
        "with LATEST a merged shard's parent whose lease was deleted begins at the tip",
        f"{_ENGINE}/lifecycle/shard_sync.py",
        "self.listed.keys() - known - self._parents_of_waiting_merges()",
        "self.listed.keys() - known",
        "tests/unit/engine/test_lineage.py",
    ),
    Bug(
        "what KCL left of a hand-over stays in a lease that is taken",
        f"{_ENGINE}/leases/dynamodb.py",
        "            dropped += _HAND_OVER\n",
        "            dropped += ()\n",
    ),
    Bug(
        "a processor that saw its stop signal is handed the next batch",
        f"{_ENGINE}/lifecycle/shard_host.py",
        "        if self.stop.is_set() and not self.is_done:\n",
        "        if self.stop.is_set() and self.is_done:\n",
    ),
    Bug(
        "a worker that drains goes round and round once a comparison is due",
        f"{_ENGINE}/worker.py",
        "sync = None if self._stopping.is_set() else self._next_sync",
        "sync = self._next_sync",
    ),
    Bug(
        "the checkpoint is beyond the low-water mark",
        f"{_ENGINE}/delivery/lanes.py",
        "        return self._records[self._low - 1].position if self._low else None\n",
        "        return self._records[self._next - 1].position if self._next else None\n",
    ),
    Bug(
        "a record that was abandoned counts as done",
        f"{_ENGINE}/delivery/processor.py",
        "lanes.end(place, done=end is _End.DONE)",
        "lanes.end(place, done=end is not None)",
    ),
    Bug(
        "what follows a parked record of its key is handled at once",
        f"{_ENGINE}/delivery/processor.py",
        "        if self._parking.is_parked(record.partition_key):\n",
        "        if not record.partition_key:\n",
    ),
    Bug(
        "whoever takes a shard over does not read which keys are parked",
        f"{_ENGINE}/delivery/processor.py",
        "        self._over = not self._until_it_works(self._parking.load)\n",
        "        self._over = False\n",
    ),
)
