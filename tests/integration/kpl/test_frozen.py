"""A process that is frozen while it sends, as AWS Lambda freezes those whose invocation has ended."""

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from fakes.kpl import TinyClient, client_error
from fakes.kpl_http import served

WAIT = 30
SCRIPT = """
import sys
from orderstream import Producer, ProducerConfig

config = ProducerConfig(region_name="eu-west-1", endpoint_url=sys.argv[1])
with Producer("orders", config=config) as producer:
    deliveries = producer.put_many([(b"1", "key"), (b"2", "key")])
    attempts = [len(delivery.result(timeout=30).attempts) for delivery in deliveries]
    later = producer.put(b"3", "key").result(timeout=30)
print(attempts, len(later.attempts))
"""


class AnnouncingClient(TinyClient):
    """Tells when the first PutRecords is there."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Event()

    def put_records(self, **request: Any) -> dict[str, Any]:
        self.arrived.set()
        return super().put_records(**request)


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
def test_a_freeze_while_a_response_is_due_loses_and_reorders_nothing(taken: bool) -> None:
    """Thawed, the producer finds its connection gone, sends again and goes on; new puts find it at work."""
    client = AnnouncingClient()
    client.gate.clear()
    if not taken:
        client.failures.append(client_error("InternalFailure", 500))
    with served(client) as server:
        server.responses_to_lose = 1
        frozen = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                "PYTHONPATH": ":".join(sys.path),
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
        )
        with frozen:
            assert client.arrived.wait(WAIT)
            frozen.send_signal(signal.SIGSTOP)
            assert os.WIFSTOPPED(os.waitpid(frozen.pid, os.WUNTRACED)[1])
            client.gate.set()
            frozen.send_signal(signal.SIGCONT)
            output, errors = frozen.communicate(timeout=WAIT)
    assert output == "[2, 2] 1\n"
    assert "PutRecords on stream orders" in errors
    assert errors.count("\n") == 1
    assert list(dict.fromkeys(client.payloads)) == [b"1", b"2", b"3"]
