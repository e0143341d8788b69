"""Order status: the read model of every order."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric
from orderstream_consumer.delivery import until_it_works
from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_workers.projections.order_status import (
    APPLICATION,
    OrderStatusProcessor,
    ReadModelWriter,
)
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.read_model import open_read_model, read_model_asked
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import StreamApplication
from orderstream_workers.runtime.topology.pipeline import READ_MODEL

UNREADABLE: Final = Metric(
    "Unreadable", Kind.COUNTER, "Count", "Records that the read model shows as unreadable."
)

DECLARATION: Final = StreamApplication(
    name=APPLICATION,
    does="keeps the state and the story of every order, to be looked up",
    needs=(READ_MODEL,),
    parks=False,
    metrics=(UNREADABLE,),
)


def build(resources: Resources) -> Application:
    """Wire the application."""
    engine = open_read_model(resources)
    spans = resources.process_spans(DECLARATION)
    writer, breaker = ReadModelWriter(engine), resources.breaker()
    tally = resources.counting({"unreadable": UNREADABLE})

    def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
        return OrderStatusProcessor(writer=writer, stop=stop, breaker=breaker, tally=tally, spans=spans)

    def refuse_tables_that_are_behind(stop: StopSignal) -> None:
        until_it_works(writer.ensure_schema, stop=stop, breaker=breaker, tally=tally)

    return Application(
        DECLARATION,
        processor,
        counters=tally.figures,
        failure=tally.failure,
        background=[refuse_tables_that_are_behind],
        dependencies=[read_model_asked(engine)],
    )
