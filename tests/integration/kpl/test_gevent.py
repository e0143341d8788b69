"""The producer in a program that gevent has patched: greenlets in place of threads, and all of them run."""

import subprocess
import sys

from fakes.kpl import TinyClient
from fakes.kpl_http import served

BEGINNING = """
from gevent import monkey
monkey.patch_all()

import sys
import gevent
from orderstream import Producer, ProducerConfig

ticks = 0

def tick():
    global ticks
    while True:
        gevent.sleep(0.001)
        ticks += 1

gevent.spawn(tick)
config = ProducerConfig(
    region_name="eu-west-1",
    endpoint_url=sys.argv[1],
    record_max_bytes=1024,
    aggregate_target_bytes=1024,
    aggregate_max_bytes=1024,
    buffered_bytes=4096,
)
"""
WAITING = """
def put_some(key):
    for number in range(10):
        delivered = producer.put(b"%d %d " % (key, number) + bytes(200), f"key-{key}").result(timeout=20)
        assert delivered.shard_id.startswith("shardId-")

def pour():
    producer.put_many([(b"9 %d " % number + bytes(200), "key-9") for number in range(200)])

with Producer("orders", config=config) as producer:
    gevent.joinall([*(gevent.spawn(put_some, key) for key in range(8)), gevent.spawn(pour)], raise_error=True)
    assert producer.flush(timeout=20) == 0
    assert producer.put(b"8 0", "key-8").exception(timeout=20) is None
assert ticks > 10, ticks
print("delivered")
"""
LEAVING = """
producer = Producer("orders", config=config)
producer.put(b"8 0", "key-8")
print("left")
"""
PATCHED_LATE = """
import sys
from orderstream import Producer, ProducerConfig
from gevent import monkey
monkey.patch_all()
Producer("orders", config=ProducerConfig(region_name="eu-west-1", endpoint_url=sys.argv[1]))
"""
UNPATCHED = """
import sys
import gevent
from orderstream import Producer, ProducerConfig

config = ProducerConfig(region_name="eu-west-1", endpoint_url=sys.argv[1])
with Producer("orders", config=config) as producer:
    gevent.spawn(lambda: producer.put(b"8 0", "key-8").result(timeout=20)).get()
print("delivered")
"""


def run(script: str, client: TinyClient) -> subprocess.CompletedProcess[str]:
    with served(client) as server:
        return subprocess.run(
            [sys.executable, "-c", script, server.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={
                "PYTHONPATH": ":".join(sys.path),
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
        )


def test_greenlets_put_wait_and_find_room() -> None:
    """Deliveries come, a full buffer lets others run while it blocks, and each key keeps its order."""
    client = TinyClient(shards=4)
    ended = run(BEGINNING + WAITING, client)
    assert (ended.stdout, ended.stderr) == ("delivered\n", "")
    arrived = [tuple(map(int, data.split()[:2])) for data in client.payloads]
    assert len(arrived) == 8 * 10 + 200 + 1
    for key in range(10):
        numbers = [number for owner, number in arrived if owner == key]
        assert numbers == sorted(numbers)


def test_an_unclosed_producer_is_flushed_at_the_exit() -> None:
    """The interpreter's end is held up for the last records there, too, and the warning says so."""
    client = TinyClient()
    ended = run(BEGINNING + LEAVING, client)
    assert "UnclosedProducerWarning" in ended.stderr
    assert "0 records were lost" in ended.stderr
    assert client.payloads == [b"8 0"]


def test_without_patches_a_greenlet_waits_as_a_thread_does() -> None:
    """The producer's threads are real ones: the delivery comes, though all greenlets wait for it."""
    client = TinyClient()
    assert run(UNPATCHED, client).stdout == "delivered\n"
    assert client.payloads == [b"8 0"]


def test_patches_that_come_too_late_are_seen_at_once() -> None:
    """Making a client fails, in botocore's TLS: no record is taken and then forgotten."""
    ended = run(PATCHED_LATE, TinyClient())
    assert ended.returncode == 1
    assert "RecursionError" in ended.stderr
