"""Tracing that is off imports nothing."""

import subprocess
import sys

PROGRAM = """
import sys
import orderstream.publisher, orderstream_consumer, orderstream_orders.api
import orderstream_workers.runtime.payment_worker, orderstream_workers.runtime.http.web
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
with Resources(Settings()) as resources:
    assert not resources.tracer.enabled
loaded = [name for name in sys.modules if name.split(".")[0] in {"opentelemetry", "aws_xray_sdk", "google"}]
print(loaded)
"""


def test_nothing_of_a_tracer_is_imported() -> None:
    """Neither by the processes of the pipeline nor by what users import."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
