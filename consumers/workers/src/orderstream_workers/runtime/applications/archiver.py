"""The archiver: every record of the stream, in Parquet."""

from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.asked import bucket_asked
from orderstream_workers.runtime.clients import s3_client
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.archiver import APPLICATION, ArchiverProcessor, S3ObjectStore


def build(resources: Resources) -> Application:
    """Wire the application."""
    s3 = s3_client()
    resources.close_later(s3.close)
    objects, breaker, tally = S3ObjectStore(s3, resources.settings.archive_bucket), Breaker(), DeliveryTally()

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
        return ArchiverProcessor(objects=objects, stop=stop, breaker=breaker, tally=tally)

    return Application(
        APPLICATION,
        processor,
        counters=tally.figures,
        failure=tally.failure,
        ordered=False,  # shard by shard, whatever the keys
        dependencies=[bucket_asked(s3, resources.settings.archive_bucket)],
    )
