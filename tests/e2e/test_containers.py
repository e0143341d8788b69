"""The containers, without Docker: what the Dockerfile and the compose file say is run, as processes.

Word by word, but for host names, which become this machine; each service's port 8080, which becomes a port of
its own; LocalStack, which becomes the emulators of the local environment behind one port; PostgreSQL's
container, which becomes a server of the test's own.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from e2e.running import free_base_port
from fakes.one_port import OnePort
from fakes.postgresql import PostgresServer, postgresql_served
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import start, stop, wait_healthy
from orderstream_playground.local.template import Template
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, StreamSpec
from rights.recorded import seen

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "docker-compose.localstack.yml").read_text())
COMPOSE = FILE["services"]
OURS = {name: service for name, service in COMPOSE.items() if "build" in service}
ENDING = ("provision", "migrate")
LASTING = [name for name in OURS if name not in ENDING]

CREDENTIALS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}

CANARY = "canary.person@example.com"
PERSON = "Canary Person"

CALLER = {"X-Gateway-Secret": "the-secret-of-this-machine-s-gateway", "X-Caller": "canary-shop"}


def dockerfile_of(name: str) -> str:
    """The text of a service's Dockerfile."""
    return (ROOT / OURS[name]["build"].get("dockerfile", "Dockerfile")).read_text()


def dockerfile(name: str, instruction: str) -> list[str]:
    """What follows the last occurrence of an instruction, continuation lines joined."""
    text = dockerfile_of(name).replace("\\\n", " ")
    return re.findall(rf"^{instruction}\s+(.*)$", text, re.MULTILINE)[-1:]


def image_environment(name: str) -> dict[str, str]:
    (settings,) = dockerfile(name, "ENV")
    found = dict(re.findall(r"(\w+)=(\S+)", settings))
    found.pop("PATH", None)
    return found


def secret() -> tuple[str, str]:
    """The name and the text of what LocalStack's hook puts into Secrets Manager."""
    (config,) = FILE["configs"].values()
    words = shlex.split(config["content"].partition("\n")[2].replace("\\\n", " "))
    assert words[:3] == ["awslocal", "secretsmanager", "create-secret"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    return options["--name"], options["--secret-string"]


def defaults_taken(text: str) -> str:
    """As compose does for variables that are not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


class Containers:
    """The services as processes.

    Args:
        folder: Volumes and logs.
        postgresql: The server that the read model's container becomes.
    """

    def __init__(self, folder: Path, postgresql: PostgresServer) -> None:
        self.folder = folder
        self.postgresql = postgresql
        base = free_base_port(40)
        self.layout = Layout(folder / "aws", EnvironmentOptions(base_port=base))
        self.layout.logs.mkdir(parents=True)
        self.ports = {name: base + 10 + index for index, name in enumerate(OURS)}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        emulators = self.layout.emulators(ensure_ministack())
        self.emulators = [
            start(spec, self.layout.logs) for spec in emulators if spec.name in ("kinesis", "aws")
        ]
        for process in self.emulators:
            wait_healthy(process, 60)
        self.aws = OnePort(base + 9, {"kinesis": self.layout.kinesis_url}, self.layout.aws_url)

    def begin(self) -> None:
        """Do what the containers of others do when they start."""
        self.aws.__enter__()
        name, text = secret()
        client = boto3.client("secretsmanager", endpoint_url=self.aws.url, **CREDENTIALS)
        client.create_secret(Name=name, SecretString=text)
        client.close()
        settings = COMPOSE["read-model"]["environment"]
        user, password = settings["POSTGRES_USER"], settings["POSTGRES_PASSWORD"]
        self.postgresql.run(f"CREATE USER {user} PASSWORD '{password}'")
        self.postgresql.run(f"CREATE DATABASE {settings['POSTGRES_DB']} OWNER {user}")

    def run(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        """Start what a container would, logging into a file of its own."""
        with self.log(name).open("ab") as log:
            return subprocess.Popen(
                [self._resolved(name, word) for word in command],
                env=self._environment(name),
                cwd=self._volume(name),
                stdout=log,
                stderr=log,
            )

    def start(self, name: str) -> None:
        (default,) = dockerfile(name, "CMD")
        self.processes[name] = self.run(name, OURS[name].get("command") or json.loads(default))

    def wait_ready(self, name: str, seconds: float) -> None:
        """Ask the image's own health check until it says yes, and then whether the process does its work."""
        (check,) = dockerfile(name, "HEALTHCHECK")
        command = json.loads(check[check.index("CMD") + 3 :])
        deadline = time.monotonic() + seconds
        while self.run(name, command).wait(timeout=20) != 0:
            assert self.processes[name].poll() is None, self.log(name).read_text()[-2000:]
            assert time.monotonic() < deadline, self.log(name).read_text()[-2000:]
        pause = threading.Event()
        while self.get(name, "/health/ready")[0] != 200:
            assert time.monotonic() < deadline, self.log(name).read_text()[-2000:]
            pause.wait(0.2)

    def get(self, name: str, path: str) -> tuple[int, dict[str, Any]]:
        try:
            asked = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}{path}", headers=CALLER)
            with urllib.request.urlopen(asked, timeout=5) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.aws.__exit__()
        stop(self.emulators)

    def _environment(self, name: str) -> dict[str, str]:
        own = {**image_environment(name), **OURS[name].get("environment", {})}
        resolved = {key: self._resolved(name, defaults_taken(str(value))) for key, value in own.items()}
        # By this a recording of calls knows who makes them.
        resolved["AWS_ACCESS_KEY_ID"] = name
        return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **resolved}

    def _resolved(self, name: str, word: str) -> str:
        for service, port in self.ports.items():
            word = word.replace(f"http://{service}:8080", f"http://127.0.0.1:{port}")
        word = word.replace("http://localstack:4566", self.aws.url).replace("0.0.0.0", "127.0.0.1")
        word = re.sub(r"//read-model:5432/(\w+)\?", rf"///\1?host={self.postgresql.folder}&", word)
        word = re.sub(r"^8080$", str(self.ports[name]), word)
        for mount in OURS[name].get("volumes", ()):
            source, target = mount.split(":")[:2]
            there = ROOT / source if source.startswith("./") else self._volume(name)
            word = re.sub(rf"(^|///){target}", rf"\1{there}", word)
        return word

    def _volume(self, name: str) -> Path:
        """The folder that a container's /data is, or would be."""
        mounts = [mount.split(":")[:2] for mount in OURS[name].get("volumes", ())]
        folder = self.folder / next((source for source, target in mounts if target == "/data"), name)
        folder.mkdir(exist_ok=True)
        return folder


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    with postgresql_served() as server:
        made = Containers(tmp_path, server)
        try:
            made.begin()
            yield made
        finally:
            made.end()


def ask(url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    headers = {"Idempotency-Key": "canary", "Content-Type": "application/json"} | CALLER
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as response:
        found: dict[str, Any] = json.load(response)
        return found


def test_every_process_of_the_pipeline_is_a_service() -> None:
    """The compose file has what the topology declares: each process, and a bridge for each capture."""
    settings = Settings()
    declared = topology(settings)
    commands = {name: service["command"] for name, service in OURS.items()}
    ours = {name: command for name, command in commands.items() if command[0] == "orderstream"}
    for process in declared.processes:
        command = ours.pop(process.name)
        assert tuple(command[1 : 1 + len(process.command)]) == process.command
    assert ours.keys() == {"migrate"}
    for stream in declared.of(StreamSpec):
        if stream.captures is not None:
            words = " ".join(commands[f"{stream.captures.name}-bridge"])
            assert f"--table {settings.name_of(stream.captures)} --stream {settings.name_of(stream)}" in words
    for service in OURS.values():
        assert service["stop_grace_period"] == "45s"


def test_every_service_is_in_its_image() -> None:
    """The image of a service installs the distribution that its command belongs to."""
    for name, service in OURS.items():
        program, *words = service["command"]
        module = "orderstream_workers" if program == "orderstream" else words[1].partition(".")[0]
        (source,) = ROOT.glob(f"*/*/src/{module}")
        assert f"./{source.parents[1].relative_to(ROOT)}" in dockerfile_of(name).split(), name


def test_what_is_provisioned_is_what_is_deployed() -> None:
    """The containers work on what the synthesized template holds, and find its bucket."""
    *_, mounted = OURS["provision"]["command"]
    (mount,) = OURS["provision"]["volumes"]
    assert mount.split(":")[1] == mounted
    template = Template(ROOT / mount.split(":")[0])
    assert {OURS[name]["environment"]["ORDERSTREAM_ARCHIVE_BUCKET"] for name in OURS} == {template.bucket}


def test_localstack_serves_what_the_pipeline_calls() -> None:
    """Each service of AWS that a declared resource is of, the changes of a table, and the secret."""
    needed = {"dynamodb", "dynamodbstreams", "kinesis", "s3", "secretsmanager", "ses", "sns", "sqs"}
    assert set(COMPOSE["localstack"]["environment"]["SERVICES"].split(",")) == needed
    recorded = {one.request.action.partition(":")[0] for one in seen()}
    assert recorded <= needed


def test_order_status_and_the_api_share_a_database() -> None:
    """They read and write it once its tables are there; who makes the tables waits for the server."""
    for process in topology(Settings()).processes:
        reads = any(isinstance(resource, DatabaseSpec) for resource in process.resources)
        assert ("migrate" in OURS[process.name]["depends_on"]) == reads
    assert OURS["migrate"]["depends_on"]["read-model"] == {"condition": "service_healthy"}
    for name in OURS:
        url = OURS[name]["environment"]["ORDERSTREAM_READ_MODEL_URL"]
        assert url.startswith("postgresql+psycopg://read-model:5432/")
        assert OURS[name]["environment"]["ORDERSTREAM_READ_MODEL_SECRET"] == secret()[0]


def test_the_image_holds_what_it_needs_and_no_more() -> None:
    """Two stages, no root, the exec form, nothing that builds in the last stage, everything compiled."""
    text = (ROOT / "Dockerfile").read_text()
    installations = re.findall(r"^RUN (uv pip install .*)$", text, re.MULTILINE)
    assert len(installations) == 2
    # The image's user cannot write into /opt: what is not compiled here is compiled at every start.
    assert all("--compile-bytecode" in installation for installation in installations)
    last = text[text.rindex("FROM ") :]
    assert re.search(r"^USER 10001", last, re.MULTILINE)
    assert not re.search(r"\b(pip|uv pip|apt-get|gcc|make)\b", last)
    for instruction in ("CMD", "HEALTHCHECK"):
        (words,) = dockerfile("api", instruction)
        assert json.loads(words[words.index("[") :])


@pytest.mark.timeout(1200)
def test_containers_take_an_order_and_end_on_sigterm(containers: Containers) -> None:
    """All become ready, an order goes through, SIGTERM ends each with 0; the logs tell of no person."""
    for name in ENDING:
        containers.start(name)
        ended = containers.processes.pop(name).wait(timeout=60)
        assert ended == 0, containers.log(name).read_text()
    for name in LASTING:
        containers.start(name)
    for name in LASTING:
        containers.wait_ready(name, 90)
        assert containers.get(name, "/health/live")[0] == 200

    api = f"http://127.0.0.1:{containers.ports['api']}"
    order = {
        "currency": "GBP",
        "customer": {"email": CANARY},
        "lines": [{"sku": "CANARY", "quantity": 1, "unit_price": "2.50", "description": PERSON}],
    }
    order_id = ask(f"{api}/orders", order)["order_id"]
    state, deadline, pause = None, time.monotonic() + 60, threading.Event()
    while state not in ("CONFIRMED", "CANCELLED"):
        assert time.monotonic() < deadline, f"the order is {state}"
        pause.wait(0.5)
        state = containers.get("api", f"/orders/{order_id}")[1].get("state")

    smoke = subprocess.run(
        [sys.executable, "-m", "localstack.smoke", "--api", api],
        env={**os.environ, "AWS_ENDPOINT_URL": containers.aws.url, "PYTHONPATH": str(ROOT / "tests")},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert smoke.returncode == 0, smoke.stderr
    assert "it is confirmed, its units are taken, it is paid, it is shipped" in smoke.stdout

    shards = containers.get("saga", "/health")[1]["shards"]
    assert len(shards) == 4
    assert {"checkpoint", "millis_behind_latest", "oldest_unhandled_seconds"} <= shards[0].keys()

    for process in containers.processes.values():
        process.send_signal(signal.SIGTERM)
    statuses = {name: process.wait(timeout=45) for name, process in containers.processes.items()}
    assert set(statuses.values()) == {0}, statuses
    about_the_order = {name for name in LASTING if logs_of(containers, name, order_id)}
    assert "api" in about_the_order


def logs_of(containers: Containers, name: str, order_id: str) -> bool:
    """Check what a process has written; returns whether it wrote of the order."""
    text = containers.log(name).read_text()
    assert CANARY not in text, name
    assert PERSON not in text, name
    lines = [line for line in text.splitlines() if not line.startswith("no response: ")]  # the probe's own
    written = [json.loads(line) for line in lines]
    assert {metrics["Application"] for metrics in written if "_aws" in metrics} <= {name}
    logged = [said for said in written if "_aws" not in said]
    assert all(
        {"level", "logger", "message", "application", "timestamp"} <= said.keys() for said in logged
    ), name
    return any(said.get("order_id") == order_id for said in logged)
