"""Order status: the read model of every order."""

from typing import Final

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
from orderstream_workers.runtime.topology import StreamApplication
from orderstream_workers.runtime.topology.pipeline import READ_MODEL

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="keeps the state and the story of every order, to be looked up",
    needs=(READ_MODEL,),
    parks=False,
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    engine = open_engine(resources.settings.name_of(READ_MODEL))
    resources.close_later(engine.dispose)
    writer, breaker, tally = ReadModelWriter(engine), Breaker(), DeliveryTally()

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
        return OrderStatusProcessor(writer=writer, stop=stop, breaker=breaker, tally=tally)

    return Application(
        DECLARATION,
        processor,
        counters=tally.figures,
        failure=tally.failure,
        dependencies=[Dependency("database of the read model", ReadModel(engine).ask)],
    )
