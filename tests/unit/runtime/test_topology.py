"""What is declared fits together, is true of what runs, and says so where it does not."""

from pathlib import Path
from typing import Any

import pytest

from fakes.operating import MemoryResources
from orderstream_consumer.store import TableSpec
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.runtime.dependencies import dependencies_of
from orderstream_workers.runtime.discovery import application_module, application_names, topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import (
    ORDERS,
    DatabaseSpec,
    HttpServiceSpec,
    Process,
    QueueSpec,
    StreamApplication,
    StreamSpec,
    Topology,
    TopologyError,
)
from orderstream_workers.runtime.topology.pipeline import STOCK_CHANGES

PIPELINE = topology(Settings())

FILE = """
from orderstream_workers.runtime.topology import StreamApplication

DECLARATION = StreamApplication(name="{name}", does="nothing")


def build(resources):
    return resources.in_lanes(DECLARATION, {{}})
"""


def settings_named(process: Process) -> set[str]:
    """The settings that say what it needs is called, or who it is there."""
    members = ("setting", "credentials")
    return {setting for one in process.resources for name in members if (setting := getattr(one, name, None))}


def test_every_setting_that_is_named_is_one() -> None:
    """A declaration with a misspelt setting would fail when the process starts, or never."""
    for process in PIPELINE.processes:
        assert settings_named(process) | set(process.settings) <= set(Settings.__struct_fields__), (
            process.name
        )


def test_names_are_those_of_the_settings() -> None:
    """A setting wins; a stream has its plain name, everything else the prefix before it."""
    settings = Settings(stream="shop", table_prefix="shop-", payment_queue="pay")
    assert settings.name_of(ORDERS) == "shop"
    assert settings.name_of(StreamSpec("clicks")) == "clicks"
    assert settings.name_of(TableSpec("points")) == "shop-points"
    assert settings.name_of(QueueSpec("letters")) == "shop-letters"
    assert settings.name_of(QueueSpec("letters", setting="payment_queue")) == "pay"


def test_who_reads_what() -> None:
    """Every application reads one stream; the stock monitor reads the changes of the stock table."""
    assert PIPELINE.readers(STOCK_CHANGES) == ("stock-monitor",)
    assert {*PIPELINE.readers(ORDERS), "stock-monitor"} == set(application_names(Settings()))


def test_a_name_means_one_process() -> None:
    """Two processes of one name would share leases and ports."""
    with pytest.raises(TopologyError, match="two processes are called api"):
        Topology(processes=(Process(name="api", does="a"), Process(name="api", does="b")))


def test_a_name_means_one_resource() -> None:
    """Two applications that declare one queue differently are refused, before one of them gets its way."""
    first = Process(name="a", does="a", needs=(QueueSpec("letters", max_receives=3),))
    second = Process(name="b", does="b", needs=(QueueSpec("letters", max_receives=5),))
    with pytest.raises(TopologyError, match=r"b declares .*letters.*, and a declares .*letters"):
        Topology(processes=(first, second))
    shared = Topology(processes=(first, Process(name="b", does="b", needs=first.needs)))
    assert shared.of(QueueSpec) == (QueueSpec("letters", max_receives=3),)
    assert shared.users(QueueSpec("letters", max_receives=3)) == ("a", "b")


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients can be made; none of them is used."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


@pytest.mark.parametrize("name", application_names(Settings()))
def test_what_is_declared_is_what_is_wired(name: str, region: None, tmp_path: Path) -> None:
    """A built application bears its own declaration, and what parks has what carries out a redrive."""
    settings = Settings(read_model_url=f"sqlite:///{tmp_path}/read-model.sqlite")
    with MemoryResources(settings) as resources:
        built = build_application(name, resources)
        assert built.declared is application_module(name, settings).DECLARATION
        assert (built.handler is not None) == built.declared.parks
        assert ("parked" in built.gauges) == built.declared.parks


READ: set[str] = set()

EVERYBODY_READS = {
    "stream",
    "compression",
    "table_prefix",
    "max_lanes",
    "applications_folder",
    "slow_seconds",
}
"""Settings of every process, whatever it does."""


class Watched(Settings, frozen=True, kw_only=True):
    """Settings that remember which of them were read."""

    def __getattribute__(self, name: str) -> Any:
        if name in Settings.__struct_fields__:
            READ.add(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize("name", application_names(Settings()))
def test_an_application_declares_the_settings_that_it_reads(name: str, region: None, tmp_path: Path) -> None:
    """Its own, and those that name what it needs: none is missing, and none is declared in vain."""
    with MemoryResources(Watched(read_model_url=f"sqlite:///{tmp_path}/read-model.sqlite")) as resources:
        READ.clear()
        declared = build_application(name, resources).declared
        dependencies_of(declared, resources)
        expected = settings_named(declared) | set(declared.settings)
        assert expected - EVERYBODY_READS == READ - EVERYBODY_READS


@pytest.mark.parametrize("process", PIPELINE.processes, ids=lambda process: process.name)
def test_health_asks_for_everything_that_is_declared(process: Process, region: None) -> None:
    """What is in AWS is a dependency, by its name there; a process asks databases and services by itself."""
    with MemoryResources() as resources:
        asked = {dependency.name.partition(" ")[2] for dependency in dependencies_of(process, resources)}
    needed = [one for one in process.resources if not isinstance(one, DatabaseSpec | HttpServiceSpec)]
    assert asked == {Settings().name_of(one) for one in needed}


def written(folder: Path, file: str, text: str) -> Settings:
    (folder / file).write_text(text)
    return Settings(applications_folder=str(folder))


def test_a_file_in_the_folder_is_an_application(tmp_path: Path) -> None:
    """Its name is the file's, with hyphens; reading the topology twice gives the same declaration."""
    settings = written(tmp_path, "gift_desk.py", FILE.format(name="gift-desk"))
    assert "gift-desk" in application_names(settings)
    assert "gift-desk" not in application_names(Settings())
    assert topology(settings).applications == topology(settings).applications
    with MemoryResources(settings) as resources:
        assert build_application("gift-desk", resources).declared.command == ("worker", "gift-desk")


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("saga.py", FILE.format(name="saga"), "saga, which is there already"),
        (
            "desk.py",
            FILE.format(name="gift-desk"),
            "declares the application gift-desk, and is found as desk",
        ),
        ("desk.py", "", "has no DECLARATION, a StreamApplication, with a function `build` beside it"),
        ("desk.py", FILE.format(name="desk").partition("def ")[0], "with a function `build` beside it"),
        ("desk.py", "import nowhere_at_all", "desk cannot be imported: No module named 'nowhere_at_all'"),
        ("desk.py", "def", "desk cannot be imported: .*invalid syntax"),
        ("desk.py", "1 / 0", "desk cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_is_no_application_is_named(tmp_path: Path, file: str, text: str, reason: str) -> None:
    """One sentence with the file or the application, and why; not a traceback, and not silence."""
    settings = written(tmp_path, file, text)
    with pytest.raises(TopologyError, match=reason):
        topology(settings)


def test_a_folder_that_is_none_is_named() -> None:
    """A misspelt path would otherwise leave the applications out."""
    settings = Settings(applications_folder="nowhere")
    with pytest.raises(
        TopologyError, match="ORDERSTREAM_APPLICATIONS_FOLDER names nowhere, which is no folder"
    ):
        application_names(settings)


def test_lanes_and_parking_belong_together() -> None:
    """Lanes park what fails: declared without parking, an application would write an undeclared table."""
    declared = StreamApplication(name="desk", does="nothing", parks=False)
    with MemoryResources() as resources, pytest.raises(TopologyError, match="desk is delivered in lanes"):
        resources.in_lanes(declared, {})


def test_an_unknown_application_is_named() -> None:
    """With those that there are."""
    with pytest.raises(TopologyError, match="there is no application sagas: there are archiver, inventory"):
        application_module("sagas", Settings())
