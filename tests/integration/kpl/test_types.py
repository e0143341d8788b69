"""Users' code under mypy --strict, with the stubs of boto3 that a typed project installs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import orderstream

SOURCE = Path(orderstream.__file__).parents[1]
README = Path(__file__).parents[3] / "producers" / "sdk" / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)

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
        delivered: Delivered = await other.put(b"data", "key")
        first = await other.enqueue(b"data", "key")
        await asyncio.gather(first, other.put_nowait(b"data", "key"))
        await asyncio.wait([asyncio.wrap_future(first.as_future())])
"""
WRONG = """
from orderstream import Producer, ProducerConfig
producer = Producer("orders", config=ProducerConfig(when_full="drop"))
producer.put("text", "key")
producer.offer
producer.put(b"data", "key").completion
Producer("orders", client=7)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of all of it, in one run: most of its time goes to what every file imports."""
    files = {"good": GOOD, "wrong": WRONG}
    files |= {f"snippet{number}": snippet for number, snippet in enumerate(SNIPPETS)}
    folder = tmp_path_factory.mktemp("users")
    names = [f"{name}.py" for name in files]
    for name, code in zip(names, files.values(), strict=True):
        (folder / name).write_text(code)
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--cache-dir",
            folder / "cache",
            *names,
        ],
        cwd=folder,
        env={"MYPYPATH": str(SOURCE), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_what_users_write_is_typed(said: list[str]) -> None:
    """The fake and boto3's client are clients, results are inferred, plain classes are interceptors.

    The README's snippets are what users start from, so they are typed as strictly.
    """
    assert [line for line in said if not line.startswith(("wrong.py:", "Found "))] == []


def test_what_is_wrong_or_private_is_an_error(said: list[str]) -> None:
    """Each line but the first two is an error, and all files were checked."""
    lines = [line.split(":")[1] for line in said if line.startswith("wrong.py:") and ": error:" in line]
    assert sorted(set(lines)) == ["3", "4", "5", "6", "7"]
    assert said[-1].endswith(f"in 1 file (checked {2 + len(SNIPPETS)} source files)")
