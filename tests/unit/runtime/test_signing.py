"""Spans go to AWS X-Ray's own endpoint signed, and to any other collector as they are."""

import hashlib
import hmac
import re

import pytest
from botocore.credentials import Credentials
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from fakes.otlp import OtlpReceiver
from fakes.tracing import KeptSpans
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.telemetry.signing import signed_session

SECRET, TOKEN = "wJalrXUtnFEMI/K7MDENG", "IQoJb3JpZ2luX2VjE"
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/(?P<scope>(?P<day>\d{8})/eu-central-1/xray/aws4_request), "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://xray.eu-central-1.amazonaws.com", "eu-central-1"),
        ("https://xray.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
        ("http://127.0.0.1:4318", None),
        ("http://xray.eu-central-1.amazonaws.com", None),
        ("https://xray.eu-central-1.amazonaws.com.example.com", None),
        ("https://collector.example.com/xray.eu-central-1.amazonaws.com", None),
    ],
)
def test_x_ray_s_own_endpoint_is_known_by_its_name(url: str, region: str | None) -> None:
    """Nobody else is shown what our credentials sign."""
    assert Settings(tracing="otlp", otlp_url=url).xray_region == region
    assert Settings(tracing="none", otlp_url=url).xray_region is None


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_request_is_signed_as_aws_checks_it(compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature covers method, path, host, time, the session's token and the body as it is sent."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    kept = KeptSpans()
    kept.tracer.begin("process orders", "consumer").end()
    session = signed_session("eu-central-1", Credentials("AKIAEXAMPLE", SECRET, TOKEN))
    with OtlpReceiver() as receiver:
        exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces", session=session)
        for _ in range(2):
            assert exporter.export(kept.ended()) is SpanExportResult.SUCCESS
        exporter.shutdown()
        received = receiver.received
    assert len(received) == 2
    for headers, body in received:
        found = SIGNED.fullmatch(headers["authorization"])
        assert found is not None
        names = found["names"].split(";")
        assert {"host", "x-amz-date", "x-amz-security-token"} <= set(names)
        assert headers["x-amz-security-token"] == TOKEN
        canonical = "\n".join(
            [
                *("POST", "/v1/traces", ""),
                *(f"{name}:{headers[name]}" for name in names),
                *("", found["names"], hashlib.sha256(body).hexdigest()),
            ]
        )
        key = f"AWS4{SECRET}".encode()
        for part in found["scope"].split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signing = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{found['scope']}\n{digest}"
        assert hmac.new(key, signing.encode(), "sha256").hexdigest() == found["signature"]


def test_without_credentials_nothing_is_signed_and_nothing_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint refuses it, which is warned of as any refusal; a role may come later."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    kept = KeptSpans()
    kept.tracer.begin("process orders", "consumer").end()
    with OtlpReceiver(status=403) as receiver:
        exporter = OTLPSpanExporter(f"{receiver.url}/v1/traces", session=signed_session("eu-central-1"))
        assert exporter.export(kept.ended()) is SpanExportResult.FAILURE
        exporter.shutdown()
        ((headers, _),) = receiver.received
    assert "authorization" not in headers
