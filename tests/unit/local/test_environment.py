"""The layout of a local environment: who runs, on which ports, pointed where."""

from pathlib import Path

from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_workers.runtime.settings import Settings

LAYOUT = Layout(Path("/somewhere"), EnvironmentOptions(base_port=30_000, payments_per_second=7))


def test_every_process_has_a_port_of_its_own() -> None:
    """No two processes share a port, and all follow the base port without a gap."""
    specs = [*LAYOUT.emulators(Path("/python")), *LAYOUT.pipeline()]
    assert sorted(spec.port for spec in specs) == list(range(30_000, 30_000 + len(specs)))


def test_only_what_stands_in_for_others_is_an_emulator() -> None:
    """AWS and the provider are emulators; the API and the workers are ours."""
    assert [spec.name for spec in LAYOUT.emulators(Path("/python")) if spec.emulator] == [
        "kinesis",
        "aws",
        "payments-api",
        "traces",
    ]
    names = [spec.name for spec in LAYOUT.pipeline() if not spec.emulator]
    assert names[0] == "api"
    assert {"saga", "inventory", "payments", "payment-worker", "archiver", "order-status"} <= set(names)


def test_processes_are_pointed_at_this_environment_and_no_other() -> None:
    """Whatever the caller's own AWS settings are, a local process talks to the loopback interface."""
    for spec in LAYOUT.pipeline():
        assert spec.environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:30001"
        assert spec.environment["AWS_ENDPOINT_URL_KINESIS"] == "http://127.0.0.1:30000"
        settings = Settings.from_environment(spec.environment)
        assert settings.payments_api_url == "http://127.0.0.1:30002"
        assert settings.payments_per_second == 7.0
        assert (settings.tracing, settings.otlp_url) == ("otlp", LAYOUT.traces_url)


def test_what_was_chosen_reaches_every_process() -> None:
    """Engine and compression are told to the whole environment, whatever the caller's own settings are."""
    layout = Layout(Path("/somewhere"), EnvironmentOptions(engine="kcl", compression="zstd"))
    for spec in layout.pipeline():
        settings = Settings.from_environment(spec.environment)
        assert (settings.engine, settings.compression) == ("kcl", "zstd")


def test_spans_are_collected_here_and_passed_on_where_that_is_asked_for() -> None:
    """The environment's own collector is on its own port, whoever else gets the spans."""
    for otlp in ("", "http://127.0.0.1:4318"):
        layout = Layout(Path("/somewhere"), EnvironmentOptions(otlp=otlp))
        (traces,) = (spec for spec in layout.emulators(Path("/python")) if spec.name == "traces")
        assert layout.traces_url == f"http://127.0.0.1:{traces.port}"
        assert traces.command[-2:] == (("--otlp", otlp) if otlp else ("--file", "/somewhere/traces.sqlite"))


def test_each_worker_serves_its_health_on_its_port() -> None:
    """The port on which a worker is probed is the one that it is told to serve."""
    for spec in LAYOUT.pipeline():
        if spec.name not in {"api", "stock-bridge"}:
            assert Settings.from_environment(spec.environment).health_port == spec.port


def test_the_bridge_follows_the_pipeline_and_ends_after_it() -> None:
    """It stands in for AWS, so it outlives the workers; yet it needs the table that is provisioned first."""
    bridge = LAYOUT.pipeline()[-1]
    assert (bridge.name, bridge.emulator) == ("stock-bridge", True)
    assert "orderstream-stock" in bridge.command
    assert "stock-changes" in bridge.command
