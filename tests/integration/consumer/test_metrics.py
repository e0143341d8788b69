"""A consumer's metrics in a real run: its own threads, its engine, its exporters, its end."""

import io
import threading

from fakes.metrics import emf, emf_sums
from orderstream import EmfExporter
from orderstream.observability.metrics import Kind, Metric
from orderstream.testing import FakeKinesis
from orderstream_consumer import Consumer
from orderstream_consumer.processing.metrics import CONSUMER_METRICS
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore

INVOICES = Metric("Invoices", Kind.COUNTER, "Count", "Invoices that were written.")


def test_what_a_run_measured_is_exported_when_it_stops() -> None:
    """Delivery, engine, health and the handler's own metric, all under the application's name."""
    kinesis, lines, handled = FakeKinesis(), io.StringIO(), threading.Semaphore(0)
    kinesis.client().create_stream(StreamName="orders", ShardCount=2)
    for key in ("a", "b", "c"):
        kinesis.client().put_record(StreamName="orders", Data=b"12345", PartitionKey=key)

    def handle(_: DeliveredRecord) -> None:
        consumer.meter.record(INVOICES)
        handled.release()

    consumer = Consumer(
        "billing",
        stream="orders",
        handler=handle,
        kinesis=kinesis.client(),
        leases=MemoryLeaseTable(),
        store=MemoryStore(),
        exporters=[EmfExporter("Billing", stream=lines)],
    )
    with consumer:
        for _ in range(3):
            assert handled.acquire(timeout=30)
    written = lines.getvalue().splitlines()
    sums = {name: total for (name,), total in emf_sums(written).items()}
    assert {emf(line)["Application"] for line in written} == {"billing"}
    assert sums["Handled"] == sums["RecordsProcessed"] == sums["Invoices"] == 3
    assert sums["DataBytesProcessed"] == 15
    assert sums["NumWorkers"] == 1
    assert {"Healthy", "BreakerOpen", "RecordProcessor.processRecords.Time"} <= set(sums)
    assert set(sums) - {"Invoices"} <= {metric.name for metric in CONSUMER_METRICS}
