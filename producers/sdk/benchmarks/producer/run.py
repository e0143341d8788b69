"""Measures producers side by side against a sink that takes everything at once.

``make bench-producer`` runs it. Each producer gets the same records in a process of its own; counted is the
CPU time of that process and its children, not the sink's, between the first put and the last acknowledgement.
The rounds go from producer to producer, so that what else the machine does meets them all; the lowest of
each counts. The sink says what consumers would get. A producer that does not run makes the whole run fail.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from consumers import report
from sink_process import sink, taken
from workload import records as workload_records

HERE = Path(__file__).parent


class Peer(NamedTuple):
    """A producer.

    Attributes:
        name: What the table calls it.
        client: Its program.
        share: One part in how many of the records it gets; the slow ones would take hours.
        warm_up: The part of its records that goes ahead unmeasured.
        tls: Whether it speaks TLS only.
    """

    name: str
    client: str
    share: int = 1
    warm_up: float = 0.0
    tls: bool = False


PEERS = (
    Peer("orderstream", "orderstream_client.py"),
    Peer("orderstream, put_many x500", "orderstream_many_client.py"),
    Peer("boto3 put_records x500", "boto3_client.py"),
    Peer("boto3 + aws_kinesis_agg", "aws_kinesis_agg_client.py"),
    Peer("async-kinesis, KPL processor", "async_kinesis_client.py"),
    Peer("aiokpl, asyncio", "aiokpl_client.py", share=10),
    Peer("KPL 1.1.1 (Java and native)", "kpl", warm_up=0.1, tls=True),
)


class Measured(NamedTuple):
    """What came of one producer."""

    peer: Peer
    size: int
    records: int
    cpu: float
    seconds: float
    report: dict[str, int]


def main() -> int:
    """Measure, print the table, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 250, 1024])
    parser.add_argument("--peers", nargs="*", help="names to keep; all by default")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    parser.add_argument("--sink", required=True, help="the compiled sink")
    parser.add_argument("--kpl", help="a directory with KPL's jars and the compiled client")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    peers = [peer for peer in PEERS if not options.peers or peer.name.split()[0].rstrip(",") in options.peers]
    results = []
    for size in options.sizes:
        for result in best(peers, size, options):
            print(line(result), flush=True)
            results.append(result)
    figures = [result._asdict() | {"peer": result.peer.name} for result in results]
    about = {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    options.out.write_text(json.dumps({"about": about, "results": figures}, indent=1))
    return 0


def best(peers: Sequence[Peer], size: int, options: argparse.Namespace) -> list[Measured]:
    """Measure producers in several rounds: of each the least CPU counts, and the most of each fault."""
    rounds = [[measure(peer, size, options) for peer in peers] for _ in range(options.rounds)]
    found = []
    for results in zip(*rounds, strict=True):
        report = {fault: max(result.report[fault] for result in results) for fault in results[0].report}
        found.append(min(results, key=lambda result: result.cpu)._replace(report=report))
    return found


def measure(peer: Peer, size: int, options: argparse.Namespace) -> Measured:
    """Measure a producer once."""
    records = max(1, options.records // peer.share)
    with (
        sink(options.sink, tls=peer.tls) as endpoint,
        tempfile.NamedTemporaryFile("w", suffix=".txt") as workload,
    ):
        # For clients in other languages.
        workload.writelines(f"{key}\t{data}\n" for data, key in workload_records(records, size))
        workload.flush()
        environment = os.environ | {
            "ENDPOINT": endpoint,
            "RECORDS": str(records),
            "SIZE": str(size),
            "WORKLOAD": workload.name,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONPATH": f"{HERE}:{HERE / 'clients'}:{HERE.parents[1] / 'src'}",
        }
        client = subprocess.Popen(
            command(peer, options), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with client:
            cpu, seconds = between_words(client)
        if client.returncode:
            raise SystemExit(f"{peer.name} ended with {client.returncode}")
        counts = report(taken(endpoint), records)
    measured = round(records * (1 - peer.warm_up))
    return Measured(peer, size, measured, cpu / measured * 1e6, seconds, counts)


def command(peer: Peer, options: argparse.Namespace) -> list[str]:
    """Return how a peer's client is started."""
    if peer.client == "kpl":
        if not options.kpl:
            raise SystemExit("KPL is measured with --kpl only; name the peers you want without it")
        return ["java", "-Xmx2g", "-cp", f"{options.kpl}/*:{options.kpl}", "KplClient"]
    return [options.python, str(HERE / "clients" / peer.client)]


def between_words(client: "subprocess.Popen[str]") -> tuple[float, float]:
    """Return CPU and wall time that passed in a client's process tree between its two words, in seconds."""
    assert client.stdin
    assert client.stdout
    figures = []
    for word in ("BEGIN", "END"):
        said = client.stdout.readline().strip()
        if said != word:
            raise SystemExit(f"the client said {said!r} instead of {word}")
        figures.append((cpu_of_tree(client.pid), time.monotonic()))
        client.stdin.write("\n")
        client.stdin.flush()
    (cpu_before, began), (cpu_after, ended) = figures
    return cpu_after - cpu_before, ended - began


def cpu_of_tree(pid: int) -> float:
    """Return the CPU time of a process and its descendants, in seconds."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


def line(result: Measured) -> str:
    """Return one line of the table."""
    report = result.report
    return (
        f"{result.peer.name:32}{result.size:6} B {result.cpu:9.2f} us"
        f" {result.records / result.seconds:10,.0f}/s"
        f"  lost {report['lost']}, misrouted {report['misrouted']}, dropped {report['dropped_by_kcl']},"
        f" inversions {report['inversions']}, duplicates {report['duplicates']}"
    )


if __name__ == "__main__":
    sys.exit(main())
