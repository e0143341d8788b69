"""Every production command of the documents, in an environment that holds exactly what the image holds.

The environment is made as the Dockerfile makes it: the image's requirements with their hashes, then our
distributions without any dependency of theirs. AWS is played by the emulators of the local environment.
"""

import datetime as dt
import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import msgspec
import pytest
import uv
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from docs.production_commands import PLAYGROUND, PROBE, command_of, documented, known_options, quoted_options
from e2e.running import free_base_port
from fakes.engine import record_of
from fakes.messages import envelope_of
from fakes.parcels import parcel_left
from fakes.tracing import KeptSpans
from orderstream_consumer.delivery import ParkedRecords, StoredParking
from orderstream_consumer.store import Put
from orderstream_orders.contracts import Customer, OrderPlaced, ReleaseStock
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import start, stop, wait_healthy
from orderstream_workers.cli.main import orderstream
from orderstream_workers.operations.order_trace import ORDER_ID
from orderstream_workers.projections.order_status import ReadModelWriter, open_engine
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.isolation import isolate_this_process, isolated
from orderstream_workers.runtime.provision import provision
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.services.inventory import seed_stock
from orderstream_workers.services.saga.handlers import SAGAS, SagaRecord
from orderstream_workers.services.saga.state import Order, Phase, Progress, Saga, Status
from orderstream_workers.services.saga.timers import timer_writes
from shard_sizing.cli.main import shard_sizing

pytestmark = pytest.mark.timeout(1200)

ROOT = Path(__file__).parents[3]
ORDER = "order-1"
LASTING = ("api", "worker", "payment-worker")
COMMANDS = documented()
BRIEF = [line for line in COMMANDS if line.split()[1] not in LASTING]
PROCESSES = [line for line in COMMANDS if line.split()[1] in LASTING and "kcl" not in line]

SHIPPED = ("producers/sdk", "producers/orders", "consumers/library", "consumers/workers")
"""The distributions that the image holds."""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment like the image's."""
    folder = tmp_path_factory.mktemp("image")
    python = folder / "bin" / "python"
    install = ("pip", "install", "--quiet", "--python", str(python))
    for words in (
        ("venv", "--quiet", "--python", sys.executable, str(folder)),
        (*install, "--require-hashes", "-r", str(ROOT / "requirements-image.lock")),
        (*install, "--no-deps", *(str(ROOT / folder) for folder in SHIPPED)),
    ):
        # Each process compiles what it imports, once: less than all that is installed.
        variables = os.environ | {"UV_COMPILE_BYTECODE": "0"}
        subprocess.run([uv.find_uv_bin(), *words], check=True, cwd=folder, env=variables)
    return python.parent


class Aws:
    """Emulators, provisioned, and what is needed to work on them.

    Args:
        folder: Of logs and the read model.
    """

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder, EnvironmentOptions(base_port=free_base_port()))
        self.layout.logs.mkdir(parents=True)
        specs = self.layout.emulators(ensure_ministack())
        self.processes = [start(spec, self.layout.logs) for spec in specs]
        self.variables = isolated(
            {"PATH": os.environ["PATH"], "HOME": str(folder)},
            {name: value for name, value in self.layout.environment.items() if "AWS_" in name}
            | {
                "ORDERSTREAM_READ_MODEL_URL": self.layout.settings.read_model_url,
                "ORDERSTREAM_PAYMENTS_API_URL": self.layout.payments_api_url,
                "ORDERSTREAM_TRACING": "otlp",
                "ORDERSTREAM_OTLP_URL": self.layout.traces_url,
            },
        )


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A provisioned AWS, of which this process's own variables speak too."""
    made = Aws(tmp_path_factory.mktemp("aws"))
    before = dict(os.environ)
    try:
        for process in made.processes:
            wait_healthy(process, 60)
        isolate_this_process(made.variables)
        provision(Settings.from_environment(), 1)
        yield made
    finally:
        os.environ.clear()
        os.environ.update(before)
        stop(made.processes)


def run(image: Path, variables: dict[str, str], line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(line)
    return subprocess.run(
        [str(image / program), *words],
        env=variables,
        cwd=folder,
        input="y\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


HELPED = """
import sys
from orderstream_workers.cli.main import orderstream
for name in sys.argv[1:]:
    orderstream([name, "--help"], prog_name="orderstream", standalone_mode=False)
"""
"""Shows the help of each command in one process: nearly all of its time goes to what they all import."""


def something_to_do() -> None:
    """An order that waits for a person, a parcel, parked records, a dead payment, a story, a span."""
    now = dt.datetime.now(dt.UTC)
    kept = KeptSpans()
    kept.tracer.begin("POST /orders", "server", attributes={ORDER_ID: ORDER}).end()
    body = encode_spans(kept.ended()).SerializeToString()
    httpx.post(f"{os.environ['ORDERSTREAM_OTLP_URL']}/v1/traces", content=body).raise_for_status()
    with Resources(Settings.from_environment()) as resources:
        for application in ("inventory", "payments", "saga", "shipping", "stock-monitor"):
            left = ParkedRecords(resources.store, application)
            for one in left.records(ORDER):
                left.discard_first(ORDER, one.record.position)
            parking = StoredParking(resources.store, application, resources.clock)
            for number in (1, 2):
                record = record_of(ORDER, number, released())
                if not parking.append(record):
                    parking.park(record, "ValueError: planted")
        if not resources.store.get(SAGAS.name, ORDER):
            order = Order(
                order_id=ORDER, customer=Customer(), country=None, units=1, total_minor=1, currency="GBP"
            )
            steps = {"ship_order": Progress(Status.REQUESTED, 2, now - dt.timedelta(hours=1))}
            saga = Saga(order=order, definition=1, phase=Phase.COMMITTED, steps=steps)
            state = Put(SAGAS.name, ORDER, {"state": msgspec.json.encode(SagaRecord(saga))}, None)
            timers = timer_writes(None, saga, order_id=ORDER, conversation_id="talk")
            resources.store.transact([state, *timers])
        parcel_left(resources.store, ORDER, now)
        resources.payment_dead_letters.send(ORDER)
        seed_stock(resources.store, "85123A", 100)
    engine = open_engine(Settings.from_environment().read_model_url)
    placed = OrderPlaced(
        order_id=ORDER, customer=Customer(), country=None, lines=(), total_minor=1, currency="GBP"
    )
    data = envelope_of(placed, source="orders", event_id="placed", time=now).encode()
    ReadModelWriter(engine).apply_batch([record_of(ORDER, 1, data)])
    engine.dispose()


def released() -> bytes:
    message = ReleaseStock(order_id=ORDER)
    return envelope_of(message, source="saga", event_id="release", time=dt.datetime.now(dt.UTC)).encode()


def filled_in(line: str) -> str:
    """The documents' placeholders, as something that is there."""
    words = {"ORDER_ID": ORDER, "APPLICATION": "inventory", "KEY": ORDER, "TEXT": "planted"}
    return re.sub(r"\b(ORDER_ID|APPLICATION|KEY|TEXT)\b", lambda match: words[match[0]], line)


def test_the_documents_show_every_command_and_no_option_that_is_none() -> None:
    """What is run below is what the documents show: no command that the image has is missing there."""
    listed = set(orderstream.list_commands(click.Context(orderstream))) - set(PLAYGROUND)
    assert {line.split()[1] for line in COMMANDS} == listed
    for group in ("dlq", "order", "read-model", "saga", "shipping", "stock"):
        subcommands = set(command_of([group])[0].list_commands(click.Context(orderstream)))
        assert {line.split()[2] for line in COMMANDS if line.split()[1] == group} == subcommands
    workers = {line.split()[2] for line in PROCESSES if line.split()[1] == "worker"}
    assert workers - {"--all"} == set(application_names(Settings()))
    assert quoted_options() <= known_options() | known_options(shard_sizing)


def test_help_lists_what_can_run_here(image: Path, tmp_path: Path) -> None:
    """The playground's commands are not listed, and asked for by name they say what they need."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    shown = run(image, clean, "orderstream --help", tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    listed = set(re.findall(r"^  ([a-z][a-z-]+)  ", shown.stdout, re.MULTILINE))
    assert listed == {
        "api",
        "dlq",
        "order",
        "payment-worker",
        "provision",
        "read-model",
        "saga",
        "shipping",
        "status",
        "stock",
        "worker",
    }
    helped = run(image, clean, shlex.join(["python", "-I", "-c", HELPED, *sorted(listed)]), tmp_path)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert re.findall(r"^Usage: orderstream ([a-z-]+) ", helped.stdout, re.MULTILINE) == sorted(listed)
    refused = run(image, clean, "orderstream demo", tmp_path)
    assert refused.returncode == 1
    assert "install orderstream-playground" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("line", BRIEF)
def test_a_command_does_its_work(image: Path, aws: Aws, tmp_path: Path, line: str) -> None:
    """With something to do, it ends with 0, names its target, and shows no traceback and no log line.

    No worker runs here: that is what `status` finds, and tells by its exit status.
    """
    something_to_do()
    ended = run(image, aws.variables, filled_in(line), tmp_path)
    looks = line.split()[1] == "status"
    assert ended.returncode == (1 if looks else 0), ended.stderr
    assert ("no worker has ever run it here" in ended.stdout) == looks
    assert "Traceback" not in ended.stderr
    assert '{"' not in ended.stderr
    assert ended.stderr.startswith("on "), ended.stderr
    assert list(tmp_path.iterdir()) == []


class Process:
    """A command that runs until it is told to stop.

    Args:
        image: The folder of the environment's programs.
        aws: What it works on.
        line: The command.
        port: Where it answers for its health.
        folder: Its log's.
    """

    def __init__(self, image: Path, aws: Aws, line: str, port: int, folder: Path) -> None:
        self.line, self.port, self._image = line, port, image
        self.variables = aws.variables | {"ORDERSTREAM_HEALTH_PORT": str(port)}
        self._log = folder / f"{port}.log"
        command = shlex.split(f"{line} --port {port}" if line == "orderstream api" else line)
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(image / command[0]), *command[1:]], env=self.variables, cwd=folder, stderr=output
            )

    def until_ready(self, deadline: float) -> None:
        """Wait until it does its work, and see that the image's health check finds it alive."""
        pause = threading.Event()
        while not is_ready(self.port):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            pause.wait(0.2)
        asked = run(self._image, self.variables, PROBE, self._log.parent)
        assert asked.returncode == 0, asked.stderr

    def said(self) -> str:
        return f"{self.line}: {self._log.read_text()}"

    def ended(self) -> int:
        """Its exit status; every line of its log is JSON with a message."""
        status = self.process.wait(timeout=60)
        for line in self._log.read_text().splitlines():
            assert json.loads(line)["message"]
        return status


def played(image: Path, aws: Aws, lines: list[str], folder: Path) -> None:
    first = free_base_port(len(lines))
    processes = [Process(image, aws, line, first + index, folder) for index, line in enumerate(lines)]
    try:
        deadline = time.monotonic() + 180
        for process in processes:
            process.until_ready(deadline)
        for process in processes:
            process.process.send_signal(signal.SIGTERM)
        for process in processes:
            assert process.ended() == 0, process.said()
    finally:
        for process in processes:
            process.process.kill()
            process.process.wait()


def test_every_process_starts_and_drains(image: Path, aws: Aws, tmp_path: Path) -> None:
    """All that the documents show, side by side: each becomes ready, is found alive, and ends with 0."""
    played(image, aws, [line for line in PROCESSES if "--" not in line], tmp_path)


@pytest.mark.parametrize("line", [line for line in PROCESSES if "--" in line])
def test_a_process_with_options_starts_and_drains(image: Path, aws: Aws, tmp_path: Path, line: str) -> None:
    """As the documents show it."""
    played(image, aws, [line], tmp_path)


@pytest.mark.parametrize("line", [line for line in COMMANDS if "kcl" in line])
def test_kcl_is_in_another_image_and_that_is_said(image: Path, aws: Aws, tmp_path: Path, line: str) -> None:
    """The plain image has no KCL: status 1, one sentence, and nothing is claimed for KCL."""
    ended = run(image, aws.variables, line, tmp_path)
    assert ended.returncode == 1
    assert "kcl" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


WRONG = {
    "no region": ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": ""}, "AWS_REGION"),
    "no credentials": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "redential"),
    "no endpoint": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
    "no tables": ({"ORDERSTREAM_TABLE_PREFIX": "nowhere-"}, "nowhere-"),
    "a bad setting": ({"ORDERSTREAM_MAX_LANES": "many"}, "max_lanes"),
    "a bad level": ({"ORDERSTREAM_LOG_LEVEL": "LOUD"}, "ORDERSTREAM_LOG_LEVEL"),
}


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        *((wrong, "orderstream dlq list") for wrong in WRONG),
        # It makes tables that are not there.
        *((wrong, "orderstream provision") for wrong in WRONG if wrong != "no tables"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    image: Path, aws: Aws, tmp_path: Path, wrong: str, line: str
) -> None:
    """Status 1, the setting or the resource that is to be corrected, and no promise that nobody keeps."""
    changed, named = WRONG[wrong]
    ended = run(image, aws.variables | changed, line, tmp_path)
    assert ended.returncode == 1, ended.stdout
    *_, sentence = ended.stderr.splitlines()
    assert sentence.startswith("orderstream: ")
    assert named in sentence
    assert "tried again" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_read_model_that_is_none_is_said_in_one_sentence(image: Path, aws: Aws, tmp_path: Path) -> None:
    """A wrong path makes no file, another database's driver is named, and neither shows a traceback."""
    for url, named in (
        ("sqlite:///nowhere.sqlite", "nowhere.sqlite"),
        ("postgresql://user:hidden@host/db", "psycopg"),
        (f"sqlite:///{ROOT / 'README.md'}", "not a database"),
        ("nonsense", "ORDERSTREAM_READ_MODEL_URL"),
    ):
        ended = run(
            image,
            aws.variables | {"ORDERSTREAM_READ_MODEL_URL": url},
            f"orderstream order show {ORDER}",
            tmp_path,
        )
        *_, sentence = ended.stderr.splitlines()
        assert (ended.returncode, named in sentence, "Traceback" in ended.stderr) == (1, True, False), (
            ended.stderr
        )
        assert "hidden" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
