"""Defects that a producer is prone to."""

from planted.bug import Bug

BUGS = (
    Bug(
        "a retry that is packed anew goes to the end of its queue",
        "orderstream/producer/core/aggregator.py",
        "waiting.extendleft(reversed(packed))",
        "waiting.extend(packed)",
    ),
    Bug(
        "a retry that is sent as it is goes to the end of its queue",
        "orderstream/producer/core/slots.py",
        "self.queue.appendleft(record)",
        "self.queue.append(record)",
    ),
    Bug(
        "an aggregate is sent again as it is though its user records belong into several shards by now",
        "orderstream/producer/core/slots.py",
        "        if len(slots) == 1 and self._aggregator.keeps(record):\n            (slot,) = slots\n",
        "        if self._aggregator.keeps(record):\n            slot = next(iter(slots))\n",
    ),
    Bug(
        "after a reshard a slot is held back by shard id instead of by hash key",
        "orderstream/producer/core/slots.py",
        "map(self.slot_for, record.user_records))",
        "[each for each in self._slots if each.shard_id == record.shard_id])",
    ),
    Bug(
        "where a record landed is not looked at",
        "orderstream/producer/core/pipeline.py",
        "if result.shard_id == record.shard_id:",
        "if result:",
    ),
    Bug(
        "of an aggregate that consumers drop, only the records outside the shard are sent again",
        "orderstream/producer/core/pipeline.py",
        """            record.failed(attempt)
            self._put_back(record, now)
        else:
""",
        """            record.failed(attempt)
            covers = self._map.ranges[ack.shard_id].covers
            inside = [each for each in record.user_records if covers(each.hash_key)]
            landed = Landed(ack.shard_id, ack.sequence_number, attempt)
            size = sum(each.size for each in inside)
            self._outcomes.landed(inside, record.completion, size, landed, now)
            record.user_records = [each for each in record.user_records if not covers(each.hash_key)]
            self._put_back(record, now)
        else:
""",
    ),
    Bug(
        "an entry that Kinesis refused is forgotten",
        "orderstream/producer/core/pipeline.py",
        "                self._refused(record, result, now)\n",
        "                self._release(record)\n",
    ),
    Bug(
        "a record that was sent twice is reported twice",
        "orderstream/producer/core/pipeline.py",
        "            self._outcomes.landed(user_records, record.completion, record.user_bytes, landed,",
        """            size = record.user_bytes
            for _ in (*user_records[0].attempts[:1], attempt):
                self._outcomes.landed(user_records, record.completion, size, landed, now)
            (lambda *_: None)(""",
    ),
    Bug(
        "an aggregate is routed by its partition key",
        "orderstream/producer/core/kinesis_record.py",
        "                str(first.hash_key),\n",
        "                None,\n",
    ),
    Bug(
        "a lost response counts as a delivery",
        "orderstream/producer/core/pipeline.py",
        "        for record in entries:\n            self._refused(record, event.failure, now)\n",
        """        for record in entries:
            if event.failure.code == "ReadTimeoutError":
                self._landed(record, Acknowledged(record.shard_id, "0"), now, wrong_shard=False)
                continue
            self._refused(record, event.failure, now)
""",
    ),
    Bug(
        "a record is sent once more than it may be",
        "orderstream/producer/core/retrier.py",
        "attempts >= self.max_attempts",
        "attempts > self.max_attempts",
    ),
    Bug(
        "a record that is given up is forgotten with all that travelled with it",
        "orderstream/producer/core/pipeline.py",
        "if not gives_up(user.failures)]",
        "if False]",
    ),
    Bug(
        "two records of a slot are under way at once",
        "orderstream/producer/core/departures.py",
        'not slot.outstanding or self._config.ordering == "none"',
        "len(slot.outstanding) < 2",
    ),
    Bug(
        "records that join an aggregate later are counted from its beginning",
        "orderstream/producer/core/kinesis_record.py",
        "indexes = _INDEXES[first:end] if end <= len(_INDEXES) else range(first, end)",
        "indexes = range(len(records))",
    ),
    Bug(
        "a record that is given up shares its outcome with all that travelled with it",
        "orderstream/producer/core/reporting/outcomes.py",
        "            completion = Completion()\n            for record in records:\n",
        "            completion = records[0].completion\n            for record in records:\n",
    ),
    Bug(
        "what waits behind a record that is given up for good goes out",
        "orderstream/producer/core/pipeline.py",
        "for slot in slots:\n            behind",
        "for slot in ():\n            behind",
    ),
    Bug(
        "what was put before a failure was told goes out behind the record that was given up",
        "orderstream/producer/core/pipeline.py",
        "        if self._outcomes.given_up:\n",
        "        if False:\n",
    ),
)
