"""A Kinesis that takes everything at once and keeps the requests, to say afterwards what consumers would get.

``python sink.py PORT`` or, with TLS, ``python sink.py PORT CERTIFICATE KEY``. ``GET /report?records=N`` reads
what arrived since the last report. It runs in a process of its own, whose work is not measured.
"""

import asyncio
import json
import ssl
import sys
from base64 import b64decode
from bisect import bisect_right
from collections import defaultdict
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from workload import DIGITS, key_of, partition_keys

from orderstream.kpl import AggregateCorruptError, deaggregate, hash_key_of

SHARDS: Final = 8
EDGES: Final = [2**128 * index // SHARDS for index in range(SHARDS + 1)]


def shard_of(hash_key: int) -> int:
    """Return the number of the shard that a hash key leads to."""
    return bisect_right(EDGES, hash_key) - 1


class Stream:
    """What was put, and the answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, str, str]] = []

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out an operation."""
        match operation:
            case "PutRecords":
                results = [self._take(entry) for entry in request["Records"]]
                return {"Records": results, "FailedRecordCount": 0}
            case "PutRecord":
                return self._take(request)
            case "ListShards":
                return {"Shards": [_shard(number) for number in range(SHARDS)]}
            case "DescribeStreamSummary" | "DescribeStream":
                arn = "arn:aws:kinesis:us-east-1:123456789012:stream/orders"
                about = {
                    "StreamName": "orders",
                    "StreamARN": arn,
                    "StreamStatus": "ACTIVE",
                    "OpenShardCount": SHARDS,
                    "RetentionPeriodHours": 24,
                    "StreamCreationTimestamp": 1_700_000_000,
                    "EnhancedMonitoring": [],
                    "HasMoreShards": False,
                    "Shards": [_shard(number) for number in range(SHARDS)],
                }
                return {"StreamDescriptionSummary": about, "StreamDescription": about}
            case _:
                raise ValueError(operation)

    def _take(self, entry: dict[str, Any]) -> dict[str, Any]:
        hash_key = entry.get("ExplicitHashKey")
        shard = shard_of(hash_key_of(entry["PartitionKey"]) if hash_key is None else int(hash_key))
        self.taken.append((shard, entry["PartitionKey"], entry["Data"]))
        return {"ShardId": f"shardId-{shard:012d}", "SequenceNumber": str(len(self.taken))}

    def report(self, number: int) -> dict[str, int]:
        """Say what consumers get of records 0 to ``number`` - 1, and forget it."""
        names = partition_keys()
        seen: set[int] = set()
        last: dict[str, int] = defaultdict(lambda: -1)
        faults = ("corrupt", "misrouted", "dropped_by_kcl", "duplicates", "inversions")
        counts = {"kinesis_records": len(self.taken), "bytes": 0, **dict.fromkeys(faults, 0)}
        taken, self.taken = self.taken, []
        for shard, partition_key, encoded in taken:
            data = b64decode(encoded)
            counts["bytes"] += len(data)
            try:
                opened = deaggregate(data, partition_key)
            except AggregateCorruptError:
                counts["corrupt"] += 1
                continue
            users = opened.user_records
            if opened.aggregated and any(shard_of(user.hash_key) != shard for user in users):
                counts["dropped_by_kcl"] += len(users)
            for user in users:
                index = int(user.data[:DIGITS])
                key = key_of(index, names)
                counts["misrouted"] += shard_of(hash_key_of(key)) != shard
                if index in seen:
                    counts["duplicates"] += 1
                    continue
                seen.add(index)
                counts["inversions"] += index < last[key]
                last[key] = max(last[key], index)
        counts["lost"] = number - len(seen)
        return counts


def _shard(number: int) -> dict[str, Any]:
    ends = {"StartingHashKey": str(EDGES[number]), "EndingHashKey": str(EDGES[number + 1] - 1)}
    sequence = {"StartingSequenceNumber": "1"}
    return {"ShardId": f"shardId-{number:012d}", "HashKeyRange": ends, "SequenceNumberRange": sequence}


async def serve(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode("latin-1").split("\r\n")
            fields = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in fields}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            target = urlsplit(first.split(" ")[1])
            if target.path == "/report":
                answer = stream.report(int(parse_qs(target.query)["records"][0]))
            elif "x-amz-target" in headers:
                answer = stream.answer(headers["x-amz-target"].rpartition(".")[2], json.loads(body))
            else:
                raise ValueError(first)
            encoded = json.dumps(answer).encode()
            kind = "application/x-amz-json-1.1"
            writer.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nx-amzn-RequestId: 1\r\n"
                f"Content-Length: {len(encoded)}\r\n\r\n".encode()
                + encoded
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()  # the client has gone


async def main() -> None:
    """Serve until terminated."""
    stream = Stream()
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.start_server(
        lambda reader, writer: serve(stream, reader, writer),
        "127.0.0.1",
        int(sys.argv[1]),
        ssl=context,
        limit=2**24,
    )
    print("READY", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
