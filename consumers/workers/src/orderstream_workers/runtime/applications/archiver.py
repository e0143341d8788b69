"""The archiver: every record of the stream, in Parquet."""

from typing import Final

from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import StreamApplication
from orderstream_workers.runtime.topology.pipeline import ARCHIVE
from orderstream_workers.services.archiver import APPLICATION, ArchiverProcessor, S3ObjectStore, metrics

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="keeps every record of the stream, in Parquet",
    needs=(ARCHIVE,),
    ordered=False,  # shard by shard, whatever the keys
    parks=False,
    metrics=metrics.METRICS,
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    objects = S3ObjectStore(resources.s3, resources.settings.name_of(ARCHIVE))
    spans = resources.process_spans(DECLARATION)
    breaker, tally = resources.breaker(), resources.counting(metrics.COUNTED)

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
        return ArchiverProcessor(objects=objects, stop=stop, breaker=breaker, tally=tally, spans=spans)

    return Application(DECLARATION, processor, counters=tally.figures, failure=tally.failure)
