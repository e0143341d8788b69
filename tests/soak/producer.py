"""A producer under load and trouble for a long time: nothing lost, nothing out of order, memory flat.

``python -m soak.producer SECONDS RECORDS_A_SECOND`` in ``tests``. Kinesis is the tiny one in the process: it
refuses records, fails, loses responses and reshards, checks each record as it comes and keeps none.
"""

import random
import sys
import threading
import time
from typing import Any

import psutil
from botocore.exceptions import ReadTimeoutError

from fakes.kpl import TinyClient, client_error
from orderstream import Producer, ProducerConfig

KEYS = 1000
PAYLOAD = 250
MIB = 2**20
GROWTH_ALLOWED = 50 * MIB
RESHARD_EVERY = 10.0


class TroubledKinesis(TinyClient):
    """Takes records from time to time, and checks those it takes."""

    def __init__(self) -> None:
        super().__init__(shards=4)
        self.random = random.Random(1)
        self.reached: dict[int, int] = {}
        self.duplicates = 0
        self.faults: list[str] = []
        self._one = threading.Lock()

    def put_records(self, **request: Any) -> dict[str, Any]:
        with self._one:
            chance = self.random.random()
            if chance < 0.02:
                raise client_error("InternalFailure", 500)
            entries = request["Records"]
            refused = {index for index in range(len(entries)) if self.random.random() < 0.05}
            taken = super().put_records(
                Records=[entry for index, entry in enumerate(entries) if index not in refused]
            )["Records"]
            self._check()
            if chance < 0.03:
                raise ReadTimeoutError(endpoint_url="http://kinesis")
            results = iter(taken)
            throttled = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}
            records = [throttled if index in refused else next(results) for index in range(len(entries))]
            return {"Records": records, "FailedRecordCount": len(refused)}

    def reshard(self) -> None:
        """Split or merge somewhere."""
        with self._one, self._lock:
            self.kinesis.reshard(self.random)

    def _check(self) -> None:
        for taken in self.kinesis.log:
            if not taken.visible:
                continue
            for data, _ in taken.user_records:
                key, number = map(int, data[:20].split(b" ")[:2])
                last = self.reached.get(key, 0)
                if number <= last:
                    self.duplicates += 1
                    continue
                if number != last + 1:
                    self.faults.append(f"key {key}: {number} came behind {last}")
                self.reached[key] = number
        self.kinesis.log.clear()
        self.requests.clear()


def main(seconds: float, rate: int) -> int:
    """Put at a rate for so long; print the figures and judge them."""
    kinesis = TroubledKinesis()
    process = psutil.Process()
    put = dict.fromkeys(range(KEYS), 0)
    filler = bytes(PAYLOAD)
    baseline = peak = number = 0
    began = time.monotonic()
    resharded = measured = began
    with Producer("orders", client=kinesis, config=ProducerConfig(close_timeout=120)) as producer:
        while (now := time.monotonic()) < began + seconds:
            for _ in range(max(1, rate // 100)):
                key = number % KEYS
                put[key] += 1
                head = b"%d %d " % (key, put[key])
                producer.put(head + filler[len(head) :], f"key-{key}")
                number += 1
            if now > resharded + RESHARD_EVERY:
                resharded = now
                kinesis.reshard()
            if now > measured + 1:
                measured = now
                resident = process.memory_info().rss
                if now < began + seconds / 5:
                    baseline = max(baseline, resident)
                peak = max(peak, resident)
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
    lost = {key: count for key, count in put.items() if kinesis.reached.get(key, 0) != count and count}
    growth = peak - baseline
    print(
        f"{number:,} records in {seconds:.0f} s, {kinesis.duplicates:,} duplicates,"
        f" {len(lost)} keys with losses, {len(kinesis.faults)} out of order;"
        f" memory {baseline / MIB:.0f} MiB at first, {peak / MIB:.0f} MiB at most"
    )
    return 1 if lost or kinesis.faults or growth > GROWTH_ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
