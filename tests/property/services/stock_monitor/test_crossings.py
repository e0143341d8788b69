"""Once per crossing, whoever writes, however often and in whatever order the changes are read."""

import random

from hypothesis import given
from hypothesis import strategies as st

from fakes.operators import MemoryOperators
from fakes.stock_changes import change, delivered_change
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency import CollectingPublisher, Received
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import MemoryStore
from orderstream_workers.services.notifications import AlertHandlers
from orderstream_workers.services.stock_monitor import StockChangeHandler

THRESHOLD = 100

LEVELS = st.one_of(st.none(), st.integers(95, 105), st.integers(0, 300))
"""What a write leaves behind; None deletes the item."""

WRITES = st.lists(st.tuples(st.sampled_from(["85123A", "71053"]), LEVELS), max_size=25)


@given(writes=WRITES, copies=st.lists(st.integers(1, 3), min_size=25, max_size=25), seed=st.integers())
def test_each_crossing_is_told_once(
    writes: list[tuple[str, int | None]], copies: list[int], seed: int
) -> None:
    """Copies and disorder of changes and of events change nothing that operators hear."""
    levels: dict[str, int | None] = {}
    changes, crossings = [], []
    for number, (sku, after) in enumerate(writes):
        before = levels.get(sku)
        levels[sku] = after
        if before is None and after is None:
            continue  # there was nothing to delete
        changes += [change(f"c-{number}", before, after, sku)] * copies[number]
        if before is not None and after is not None and before > THRESHOLD >= after:
            crossings.append((sku, after))
    shuffled = random.Random(seed)
    shuffled.shuffle(changes)

    stream = CollectingPublisher()
    monitor = StockChangeHandler(publisher=stream, threshold=THRESHOLD, count=lambda _: None)
    for sequence, record in enumerate(changes):
        monitor.handle(delivered_change(record, sequence))
    told = {decode_envelope(data).id: data for data in stream.published}
    assert set(told.values()) == set(stream.published), "copies are the same to the byte"
    assert len(told) == len(crossings)

    operators = MemoryOperators()
    alerts = AlertHandlers(store=MemoryStore(), operators=operators)
    events = stream.published * 2
    shuffled.shuffle(events)
    for position, data in enumerate(events):
        envelope = decode_envelope(data)
        alerts.alert(Received(envelope, "shardId-000000000000", Position(position), envelope.time))
    assert sorted((alert.sku, alert.available) for alert in operators.told) == sorted(crossings)
