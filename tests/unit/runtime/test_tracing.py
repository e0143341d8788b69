"""Where spans go: to a collector, in the end as well, and nowhere at all where it does not respond."""

import builtins
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.otlp import OtlpReceiver
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.telemetry import tracing
from orderstream_workers.runtime.telemetry.tracing import (
    MAX_QUEUED,
    TracingNotInstalledError,
    tracer_of,
)


@pytest.fixture(autouse=True)
def fresh_throttle(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has warned yet, in this process."""
    loggers = [logging.getLogger(name) for name in tracing._CHATTY]
    before = [list(logger.filters) for logger in loggers]
    for logger in loggers:
        logger.removeFilter(tracing._QUIET)
    monkeypatch.setattr(tracing, "_QUIET", tracing._OnceInAWhile())
    yield
    for logger, filters in zip(loggers, before, strict=True):
        logger.filters[:] = filters


@pytest.fixture
def nobody() -> Iterator[str]:
    """A place on the loopback interface where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


def settings(url: str, **more: Any) -> Settings:
    """Settings that export to a collector."""
    return Settings(tracing="otlp", otlp_url=url, **more)


def test_the_last_spans_are_out_when_the_tracer_is_closed() -> None:
    """They say which process they are of; the first export would be seconds later."""
    with OtlpReceiver() as receiver:
        tracer = tracer_of(settings(receiver.url), "saga")
        with tracer.span("outer", "internal"):
            tracer.begin("inner", "client").end()
        tracer.close()
        assert [(span.service, span.name) for span in receiver.spans()] == [
            ("saga", "outer"),
            ("saga", "inner"),
        ]


def test_a_ratio_of_0_exports_nothing_and_still_gives_contexts() -> None:
    """They say that the trace is not recorded, so that nobody further on records it."""
    with OtlpReceiver() as receiver:
        tracer = tracer_of(settings(receiver.url, trace_ratio=0.0), "saga")
        with tracer.span("outer", "internal") as span:
            assert str(span.traceparent).endswith("-00")
        tracer.close()
        assert receiver.spans() == []


def test_a_collector_that_is_down_is_warned_of_once_and_holds_nothing_up(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    """More spans than are kept: the oldest are dropped, the work goes on, and the end comes."""
    with caplog.at_level(logging.DEBUG):
        tracer = tracer_of(settings(nobody), "saga", close_timeout=0.2)
        for _ in range(MAX_QUEUED + 2_000):
            tracer.begin("work", "internal").end()
        tracer.close()
    lines = [record for record in caplog.records if record.name.startswith("opentelemetry")]
    assert [record.levelname for record in lines] == ["WARNING"]


@pytest.mark.parametrize("status", [400, 404, 503])
def test_a_collector_that_refuses_is_warned_of_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its response is, and it is no error of ours."""
    with OtlpReceiver(status) as receiver, caplog.at_level(logging.DEBUG):
        tracer = tracer_of(settings(receiver.url), "saga", close_timeout=0.2)
        for _ in range(3_000):
            tracer.begin("work", "internal").end()
        tracer.close()
    lines = [record for record in caplog.records if record.name.startswith("opentelemetry")]
    assert [record.levelname for record in lines] == ["WARNING"]


def test_without_the_extra_a_process_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at its start, and not at its first order."""
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("opentelemetry.exporter"):
            raise ModuleNotFoundError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TracingNotInstalledError, match=r"orderstream-workers\[otlp\]"):
        tracer_of(settings("http://127.0.0.1:4318"), "saga")
