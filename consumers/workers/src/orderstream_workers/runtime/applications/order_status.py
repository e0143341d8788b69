"""Order status: the read model of every order."""

from orderstream_consumer.delivery import Breaker, DeliveryTally
from orderstream_consumer.health.watch import Dependency
from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_workers.projections.order_status import (
    APPLICATION,
    OrderStatusProcessor,
    ReadModel,
    ReadModelWriter,
    open_engine,
)
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources


def build(resources: Resources) -> Application:
    """Wire the application."""
    engine = open_engine(resources.settings.read_model_url)
    resources.close_later(engine.dispose)
    writer, breaker, tally = ReadModelWriter(engine), Breaker(), DeliveryTally()

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
        return OrderStatusProcessor(writer=writer, stop=stop, breaker=breaker, tally=tally)

    return Application(
        APPLICATION,
        processor,
        counters=tally.figures,
        failure=tally.failure,
        dependencies=[Dependency("database of the read model", ReadModel(engine).ask)],
    )
