"""The import rules of pyproject.toml: each contract, broken by a planted import, is refused by its name."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import configuration
from importlinter.application import use_cases
from importlinter.application.app_config import settings
from importlinter.application.user_options import UserOptions

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
CONTRACTS: list[dict[str, Any]] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
NAMES = [contract["name"] for contract in CONTRACTS]
EXHAUSTIVE = {each["name"]: each["containers"][0] for each in CONTRACTS if each.get("exhaustive")}

PLANTED = {
    "Distributions import downwards only; contracts and consumer library do not import each other": (
        "orderstream_consumer.processing.record",
        "orderstream_orders.contracts.order",
    ),
    "The sizing tool imports the SDK and no other distribution": (
        "shard_sizing.live.measure",
        "orderstream_consumer.running",
    ),
    "No distribution imports the sizing tool": (
        "orderstream_playground.demo.run",
        "shard_sizing.model.workload.profile",
    ),
    "Inside the SDK, messages and producer do not import each other; publisher and fake import both": (
        "orderstream.messages.envelope",
        "orderstream.producer.config",
    ),
    "Inside the order domain, the API imports the contracts, and not the reverse": (
        "orderstream_orders.contracts.order",
        "orderstream_orders.api.requests",
    ),
    "Packages of the consumer library import downwards only": (
        "orderstream_consumer.delivery.lanes",
        "orderstream_consumer.engines.embedded.worker",
    ),
    "The engines do not import each other": (
        "orderstream_consumer.engines.kcl.adapter",
        "orderstream_consumer.engines.embedded.leases.lease",
    ),
    "Packages of the workers import downwards only": (
        "orderstream_workers.services.saga.domain",
        "orderstream_workers.runtime.settings",
    ),
    "Services do not import each other: they share messages": (
        "orderstream_workers.services.saga.handlers",
        "orderstream_workers.services.payments.domain",
    ),
    "The topology only declares: it imports no client, clock or environment, and nothing that reads it": (
        "orderstream_workers.runtime.topology.specs",
        "orderstream_workers.runtime.settings",
    ),
    "Projections do not import each other": (
        "orderstream_workers.projections.planted",
        "orderstream_workers.projections.order_status.status",
    ),
    "Applications do not import each other": (
        "orderstream_workers.runtime.applications.saga",
        "orderstream_workers.runtime.applications.payments",
    ),
    "Packages of the playground import downwards only": (
        "orderstream_playground.local.lifecycle",
        "orderstream_playground.demo.run",
    ),
    "Packages of the sizing tool import downwards only": (
        "shard_sizing.live.measure",
        "shard_sizing.cli.plan",
    ),
    "Packages of the sizing model import downwards only, from the result to the workload": (
        "shard_sizing.model.workload.profile",
        "shard_sizing.model.capacity.sizing",
    ),
    "Pure: the producer's core, the wire format, the shard map, how metrics add up, the state of the fake": (
        "orderstream.producer.core.slots",
        "threading",
    ),
    "Pure: planners, machines and lanes of the consumer library": (
        "orderstream_consumer.engines.embedded.leases.taker",
        "time",
    ),
    "Pure: who calls is a function of headers, keys, policy and time": (
        "orderstream_orders.callers.token",
        "time",
    ),
    "Pure: contracts and domains of the services": (
        "orderstream_workers.services.payments.domain",
        "random",
    ),
    "Pure: the simulated payment provider's books": (
        "orderstream_playground.local.payments_api.ledger",
        "time",
    ),
    "Pure: the sizing model": ("shard_sizing.model.capacity.sizing", "boto3"),
    "The store on DynamoDB imports no test double": (
        "orderstream_consumer.store.dynamodb",
        "orderstream_consumer.testing.memory_store",
    ),
    "Production imports no test double": (
        "orderstream_workers.runtime.resources",
        "orderstream.testing.fake",
    ),
    "No cycles: among the modules and packages of a package, imports run one way": (
        "orderstream.producer.core.slots",
        "orderstream.producer.core.pipeline",
    ),
}
"""One import for each contract that it must refuse: who imports, and what."""


class Planting:
    """Hands import-linter a graph that is built once, with what was planted in it."""

    def __init__(self) -> None:
        configuration.configure()
        self.options = use_cases.read_user_options(str(PYPROJECT))
        use_cases._register_contract_types(self.options)
        self.graph = grimp.build_graph(
            *self.options.session_options["root_packages"], include_external_packages=True, cache_dir=None
        )

    def build(self, **_: object) -> grimp.ImportGraph:
        """See import-linter's ``GraphBuilder``."""
        return self.graph

    @contextmanager
    def planted(self, importer: str, imported: str) -> Iterator[None]:
        """Plant an import for a while."""
        new = {importer, imported} - self.graph.modules
        self.graph.add_import(importer=importer, imported=imported)
        try:
            yield
        finally:
            self.graph.remove_import(importer=importer, imported=imported)
            for module in new:
                self.graph.remove_module(module)

    def refuses(self, name: str) -> bool:
        """Whether the contract of this name is broken."""
        contracts = [each for each in self.options.contracts_options if each["name"] == name]
        report = use_cases.create_report(UserOptions(self.options.session_options, contracts), verbose=True)
        assert not report.could_not_run
        return [contract.name for contract, check in report.get_contracts_and_checks() if not check.kept] == [
            name
        ]


@pytest.fixture(scope="module")
def linter() -> Iterator[Planting]:
    planting = Planting()
    settings.configure(GRAPH_BUILDER=planting)
    yield planting
    configuration.configure()


def test_every_contract_has_a_violation_that_is_planted() -> None:
    """A contract that nothing is known to break may hold nothing."""
    assert sorted(PLANTED) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_import_is_refused_by_the_contracts_name(linter: Planting, name: str) -> None:
    """Each contract is kept as the code stands, and broken by one import that it forbids."""
    assert not linter.refuses(name)
    with linter.planted(*PLANTED[name]):
        assert linter.refuses(name)
    assert not linter.refuses(name)


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_a_package_without_a_layer_is_refused(linter: Planting, name: str) -> None:
    """A new package is assigned to a layer before it has a module: none escapes the contracts."""
    room = f"{EXHAUSTIVE[name]}.unheard_of"
    linter.graph.add_module(room)
    try:
        assert linter.refuses(name)
    finally:
        linter.graph.remove_module(room)


def test_lint_imports_itself_fails_on_what_is_planted(
    linter: Planting, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command of ``make lint`` ends in failure and says which contract, not only its parts."""
    importer, imported = PLANTED["The engines do not import each other"]
    with linter.planted(importer, imported):
        assert not use_cases.lint_imports(str(PYPROJECT), no_logo=True, is_debug_mode=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "The engines do not import each other BROKEN" in said
    assert f"{importer} -> {imported}" in said
