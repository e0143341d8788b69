"""Defects that a producer is prone to, each as a replacement in one shipped module."""

from typing import NamedTuple


class Bug(NamedTuple):
    """A defect: where ``right`` stands, exactly once, ``wrong`` is put instead."""

    name: str
    module: str
    right: str
    wrong: str


BUGS = (
    Bug(
        "a retry goes to the end of its queue",
        "slots.py",
        "for user_record in reversed(record.user_records):\n            self.slot_for(user_record).put_back(",
        "for user_record in record.user_records:\n            self.slot_for(user_record).append(",
    ),
    Bug(
        "after a reshard a slot is held back by shard id instead of by hash key",
        "slots.py",
        "map(self.slot_for, record.user_records))",
        "[each for each in self._slots if each.shard_id == record.shard_id])",
    ),
    Bug(
        "where a record landed is not looked at",
        "pipeline.py",
        "if result.shard_id == record.shard_id:",
        "if result:",
    ),
    Bug(
        "of an aggregate that consumers drop, only the records outside the shard are sent again",
        "pipeline.py",
        """        if foreign:
            self._put_back(record)
""",
        """        if foreign:
            hash_range = self._map.ranges[place.shard_id]
            inside = [each for each in record.user_records if each.hash_key in hash_range]
            self._settle(inside, sum(each.size for each in inside), place)
            record.user_records = [each for each in record.user_records if each.hash_key not in hash_range]
            self._put_back(record)
""",
    ),
    Bug(
        "an entry that Kinesis refused is forgotten",
        "pipeline.py",
        "                self._refused(record, result, now)\n",
        "                self._release(record)\n",
    ),
    Bug(
        "a record that was sent twice is reported twice",
        "pipeline.py",
        "            self._settle(record.user_records, record.user_bytes, place)\n",
        """            for _ in record.user_records[0].attempts[:2]:
                self._settle(record.user_records, record.user_bytes, place)
""",
    ),
    Bug(
        "an aggregate is routed by its partition key",
        "aggregator.py",
        "        str(taken[0].hash_key),\n",
        "        None,\n",
    ),
    Bug(
        "a lost answer counts as a delivery",
        "pipeline.py",
        "        for record in self._requests.pop(event.request_id, ()):\n",
        """        for record in self._requests.pop(event.request_id, ()):
            if event.failure.code == "ReadTimeoutError":
                self._landed(record, Acknowledged(record.shard_id, "0"), now, foreign=False)
                continue
""",
    ),
    Bug(
        "a record is sent once more than it may be",
        "retrier.py",
        "attempts >= self.max_attempts",
        "attempts > self.max_attempts",
    ),
    Bug(
        "a record that is given up is forgotten with all that travelled with it",
        "pipeline.py",
        "if not gives_up(user.retries + 1)]",
        "if False]",
    ),
    Bug(
        "two records of a slot are under way at once",
        "pipeline.py",
        'not slot.unsettled or self._config.ordering == "none"',
        "len(slot.unsettled) < 2",
    ),
)
