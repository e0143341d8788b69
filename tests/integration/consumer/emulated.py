"""Emulators of Kinesis, DynamoDB and SQS for processes that consume."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from e2e.running import free_base_port
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import start, stop, wait_healthy
from orderstream_workers.runtime.isolation import isolated


@dataclass(frozen=True)
class Aws:
    """Where the emulators are.

    Attributes:
        variables: The environment of a process that works on them.
        kinesis: A Kinesis client.
        dynamodb: A DynamoDB client.
    """

    variables: dict[str, str]
    kinesis: Any
    dynamodb: Any

    def put(self, stream: str, count: int) -> str:
        """Put records ``0`` and up, under two keys in turn, into a new stream; the last sequence number."""
        self.kinesis.create_stream(StreamName=stream, ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
        last = ""
        for number in range(count):
            data, key = b"%d" % number, f"key-{number % 2}"
            response = self.kinesis.put_record(StreamName=stream, Data=data, PartitionKey=key)
            last = response["SequenceNumber"]
        return last

    def leases(self, table: str) -> list[dict[str, Any]]:
        """The leases of shards in a lease table, as they are stored."""
        items: list[dict[str, Any]] = self.dynamodb.scan(TableName=table)["Items"]
        return [item for item in items if item["leaseKey"]["S"].startswith("shardId")]


@contextmanager
def emulated(folder: Path) -> Iterator[Aws]:
    """Start the emulators, and stop them at the end."""
    layout = Layout(folder, EnvironmentOptions(base_port=free_base_port()))
    layout.logs.mkdir(parents=True)
    specs = [spec for spec in layout.emulators(ensure_ministack()) if spec.name in {"kinesis", "aws"}]
    processes = [start(spec, layout.logs) for spec in specs]
    try:
        for process in processes:
            wait_healthy(process, 120)
        own = {name: value for name, value in layout.environment.items() if "AWS_" in name}
        access = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        kinesis = boto3.client("kinesis", endpoint_url=layout.kinesis_url, **access)
        dynamodb = boto3.client("dynamodb", endpoint_url=layout.aws_url, **access)
        with closing_all(kinesis, dynamodb):
            # A process that we interrupt still says all that it printed.
            surrounding = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
            yield Aws(isolated(surrounding, own), kinesis, dynamodb)
    finally:
        stop(processes)


@contextmanager
def closing_all(*clients: Any) -> Iterator[None]:
    """Close clients at the end."""
    try:
        yield
    finally:
        for client in clients:
            client.close()


class Running:
    """A Python program, with the lines that it has printed so far.

    Args:
        words: The command line behind ``python``.
        variables: Its environment.
        folder: Where it runs.
    """

    def __init__(self, *words: str, variables: dict[str, str], folder: Path) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *words],
            env=variables,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def wait_for(self, holds: Callable[[list[str]], bool], seconds: float = 120) -> None:
        """Wait until something is true of the lines."""
        deadline, pause = time.monotonic() + seconds, threading.Event()
        while not holds(self.lines):
            if self.process.poll() is not None or time.monotonic() >= deadline:
                self.process.kill()
                raise AssertionError("\n".join(self.lines))
            pause.wait(0.1)

    def terminate(self, seconds: float = 90) -> int:
        """Send SIGTERM and wait for the end; its status."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self._reading.join()
            assert self.process.stdout is not None
            self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
