"""Users' code under mypy --strict, with the stubs of boto3 that a typed project installs."""

import subprocess
import sys
from pathlib import Path

import orderstream

SOURCE = Path(orderstream.__file__).parents[1]

GOOD = """
import asyncio
import boto3
from orderstream import AsyncProducer, Delivered, Delivery, Interceptor, Producer, UserRecord
from orderstream.testing import FakeKinesis

kinesis = FakeKinesis()
producer = Producer("orders", client=kinesis.client())
real = Producer("orders", client=boto3.client("kinesis"))
delivery: Delivery = producer.put(b"data", "key", 7)
delivered: Delivered = delivery.result(timeout=1)
many: list[Delivery] = producer.put_many([(b"data", "key"), (b"data", "key", 7), UserRecord("key", b"data")])
left: tuple[UserRecord, ...] = producer.close(1)
delivery.add_done_callback(lambda each: print(each.record.partition_key))


class Watching:
    def on_put(self, record: UserRecord) -> UserRecord:
        return record

    def on_outcome(self, delivery: Delivery) -> None:
        print(delivery.done())


watching: Interceptor = Watching()


async def main() -> None:
    async with AsyncProducer("orders", client=kinesis.client(), interceptors=[watching]) as other:
        place: Delivered = await other.put(b"data", "key")
        first = await other.enqueue(b"data", "key")
        await asyncio.gather(first, other.put_nowait(b"data", "key"))
        await asyncio.wait([asyncio.wrap_future(first.as_future())])
"""
WRONG = """
from orderstream import Producer, ProducerConfig
producer = Producer("orders", config=ProducerConfig(when_full="drop"))
producer.put("text", "key")
producer.offer
producer.put(b"data", "key").settlement
Producer("orders", client=7)
"""


def checked(code: str, folder: Path) -> list[str]:
    (folder / "users.py").write_text(code)
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--cache-dir",
            folder / "cache",
            "users.py",
        ],
        cwd=folder,
        env={"MYPYPATH": str(SOURCE), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_what_users_write_is_typed(tmp_path: Path) -> None:
    """The fake and boto3's client are clients, results are inferred, plain classes are interceptors."""
    assert checked(GOOD, tmp_path) == ["Success: no issues found in 1 source file"]


def test_what_is_wrong_or_private_is_told(tmp_path: Path) -> None:
    """Each line but the first two is an error."""
    lines = [line.split(":")[1] for line in checked(WRONG, tmp_path) if ": error:" in line]
    assert sorted(set(lines)) == ["3", "4", "5", "6", "7"]
