"""From a stream that throttles to one that does not: measured, planned, applied, and measured again."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from fakes.kinesis_server import KinesisServer, kinesis_server
from fakes.sizing_cli import run
from orderstream import Metric, Producer, ProducerConfig
from orderstream.aggregation import hash_key_of
from shard_sizing.live.reshard import open_shards
from shard_sizing.model.workload.measured import Measured
from shard_sizing.model.workload.profile import KeyShare, synthetic

HOT = [key for key in (f"customer-{n}" for n in range(100)) if hash_key_of(key) < 2**126][:2]
"""Two keys in the first quarter of the hash space: four equal shards would leave them together."""

TICK = 0.02


@pytest.fixture(scope="module")
def server() -> Iterator[KinesisServer]:
    """A Kinesis that keeps the limits of its two shards."""
    with kinesis_server("--stream", "orders", "--shards", "2") as server:
        yield server


@pytest.fixture
def _live(server: KinesisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point boto3 at it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", server.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


class Throttles:
    """Counts a producer's errors by their code; see ``Meter``."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()

    def record(self, metric: Metric, value: float = 1, *labels: str, times: int = 1) -> None:
        if metric.name == "ErrorsByCode":
            self.errors[labels[0]] += int(value) * times


@contextmanager
def skewed_traffic(server: KinesisServer, *, catches_up: bool = False) -> Iterator[Throttles]:
    """Write 1.4 MB a second while the body runs: two keys have 0.6 MB each, many others the rest.

    Args:
        server: Takes it.
        catches_up: Whether what a busy machine has delayed is written at once, for too much it has to be.
    """
    throttles, stop = Throttles(), threading.Event()
    # As one of many producers none of which knows how much the others write.
    config = ProducerConfig(records_per_second_per_shard=1e6, bytes_per_second_per_shard=1e9)

    def write() -> None:
        with Producer("orders", config=config, client=server.client(), meter=throttles) as producer:
            begun, tick = time.monotonic(), 0
            while not stop.wait(TICK):
                due = int((time.monotonic() - begun) / TICK) if catches_up else tick + 1
                while tick < due:
                    for key in HOT:
                        producer.put(b"x" * 12_000, key)
                    producer.put(b"x" * 4_000, f"order-{tick}")
                    tick += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield throttles
    finally:
        stop.set()
        writer.join()


def refused(throttles: Throttles) -> int:
    return throttles.errors["ProvisionedThroughputExceededException"]


@pytest.mark.usefixtures("_live")
def test_after_the_plan_the_throttles_are_gone(
    server: KinesisServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Equal cuts would leave both hot keys together; the plan parts them by what was measured."""
    profile = str(tmp_path / "profile.json")
    with skewed_traffic(server, catches_up=True) as before:
        measured = run("measure", "orders", "--seconds", "6", "--out", profile)
    assert (measured.exit_code, refused(before) > 0) == (2, True), measured.stderr
    found = msgspec.json.decode(Path(profile).read_bytes(), type=Measured)
    assert set(HOT) == {hot.key for hot in found.hot_keys if hot.byte_share > 0.3}
    planned = run("plan", profile, "--stream", "orders", "--target", "4", "--cool-off", "0", "--apply")
    assert planned.exit_code == 0, planned.stderr
    assert re.match(r"For the mean of [\d,]+ records/s, 4 shards suffice: the busiest is at ", planned.stdout)
    assert planned.stdout.splitlines()[1].startswith("- Take the targeted plan, ")
    assert "equal ranges would throttle, targeted cuts do not" in planned.stdout
    with skewed_traffic(server) as after:
        measured = run("measure", "orders", "--seconds", "6", "--out", profile)
    record_property("refused Kinesis records, before and after", (refused(before), refused(after)))
    assert (measured.exit_code, refused(after)) == (0, 0), measured.stdout
    played = run("simulate", profile, "--stream", "orders")
    assert played.exit_code == 0, played.stdout
    again = run("plan", profile, "--stream", "orders", "--target", "4")
    assert again.exit_code == 0, again.stderr


@pytest.mark.usefixtures("_live")
def test_a_target_that_does_not_suffice_is_applied_only_by_force(
    server: KinesisServer, tmp_path: Path
) -> None:
    """Nobody shrinks a stream below its load by a habit of --apply; the exit status stays the verdict."""
    client, profile = server.client(), tmp_path / "listed.json"
    keys = tuple(KeyShare(f"shop-{i}", 0.01, 0.01) for i in range(100))
    profile.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(synthetic(3_000, 500, 0.0, 0.0, keys=100), key_list=keys))
    )
    client.create_stream(StreamName="shrinking", ShardCount=4)
    asked = ("plan", str(profile), "--stream", "shrinking", "--target", "2", "--cool-off", "0", "--apply")
    refused = run(*asked)
    assert (refused.exit_code, len(open_shards(client, "shrinking"))) == (2, 4), refused.stderr
    assert "nothing was applied" in refused.stderr
    forced = run(*asked, "--force")
    assert (forced.exit_code, len(open_shards(client, "shrinking"))) == (2, 2), forced.stderr


@pytest.mark.usefixtures("_live")
@pytest.mark.parametrize(
    "command",
    [
        ("measure", "nowhere", "--seconds", "1"),
        ("measure", "nowhere", "--seconds", "1", "--days", "30"),
        ("plan", "--rate", "1", "--stream", "nowhere", "--target", "2"),
    ],
)
def test_a_stream_that_does_not_exist_is_one_sentence(command: tuple[str, ...]) -> None:
    """Exit status 1, the stream's name, and no traceback."""
    done = run(*command)
    assert done.exit_code == 1
    assert "stream nowhere: ResourceNotFoundException" in done.stderr


@pytest.mark.usefixtures("_live")
def test_a_past_that_nobody_tells_is_said_before_anything_is_measured() -> None:
    """CloudWatch is not there: an hour's measurement is not begun only to be thrown away."""
    done = run("measure", "orders", "--seconds", "3600", "--days", "30")
    assert done.exit_code == 1
    assert "the past of orders is not known: CloudWatch says" in done.stderr


@pytest.mark.usefixtures("_live")
def test_no_permission_is_one_sentence(server: KinesisServer) -> None:
    """Whatever AWS refuses is told as AWS says it, with exit status 1."""
    server.arm({"operation": "ListShards", "error": "AccessDeniedException", "times": None})
    try:
        done = run("measure", "orders", "--seconds", "1")
    finally:
        server.disarm()
    assert (done.exit_code, "stream orders: AccessDeniedException" in done.stderr) == (1, True)
