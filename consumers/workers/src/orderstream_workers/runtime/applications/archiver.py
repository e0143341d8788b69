"""The archiver: every record of the stream, in Parquet."""

from typing import Final

from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import AlarmSpec, OwnMetric, Series, StreamApplication
from orderstream_workers.runtime.topology.pipeline import ARCHIVE
from orderstream_workers.services.archiver import APPLICATION, ArchiverProcessor, S3ObjectStore, metrics

GAP: Final = AlarmSpec(
    name="archive-gap",
    about=APPLICATION,
    says="records are, or may be, missing from the archive: its log names the object and the positions, and "
    "the stream may still have them.",
    runbook="the-archive-has-a-gap",
    watches=Series(OwnMetric(metrics.GAPS, APPLICATION), "Sum"),
    comparison="GreaterThanThreshold",
    threshold=0,
    because="of what is older than the stream the archive is the only copy, so the first gap counts",
)

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="keeps every record of the stream, in Parquet",
    needs=(ARCHIVE,),
    ordered=False,  # shard by shard, whatever the keys
    parks=False,
    metrics=metrics.METRICS,
    alarms=(GAP,),
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    objects = S3ObjectStore(resources.s3, resources.settings.name_of(ARCHIVE))
    spans = resources.process_spans(DECLARATION)
    breaker, tally = resources.breaker(), resources.counting(metrics.COUNTED)

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
        return ArchiverProcessor(objects=objects, stop=stop, breaker=breaker, tally=tally, spans=spans)

    return Application(DECLARATION, processor, counters=tally.figures, failure=tally.failure)
