"""A producer that is killed: whatever it had reported as delivered is in the stream, in order."""

import subprocess
import sys

from fakes.kpl import TinyClient
from fakes.kpl_http import served

SCRIPT = """
import sys
from orderstream import Producer, ProducerConfig

config = ProducerConfig(region_name="eu-west-1", endpoint_url=sys.argv[1], linger=0.005)

def report(delivery):
    delivery.result()
    sys.stdout.write(delivery.data.decode() + chr(10))
    sys.stdout.flush()

with Producer("orders", config=config) as producer:
    for number in range(10**9):
        producer.put(b"%d" % number, f"key-{number % 7}").add_done_callback(report)
"""
REPORTED = 5000
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_a_kill_costs_nothing_that_was_reported() -> None:
    """At most what had no report yet is missing; what arrived is a beginning of each key's records."""
    client = TinyClient(shards=4)
    reported: list[int] = []
    with served(client) as server:
        producer = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, server.url],
            stdout=subprocess.PIPE,
            text=True,
            env={
                "PYTHONPATH": ":".join(sys.path),
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
        )
        assert producer.stdout
        with producer:
            for line in producer.stdout:
                reported.append(int(line))
                if len(reported) == REPORTED:
                    producer.kill()
                    break
        arrived = [int(data) for data in client.payloads]
    assert set(reported) <= set(arrived)
    for key in range(7):
        mine = [number for number in arrived if number % 7 == key]
        assert mine == list(range(key, key + 7 * len(mine), 7))
