"""A full disk of the read model holds nobody else up, and costs no order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from fakes.order_history import envelope_of, placed
from fakes.postgresql import PostgresServer
from fakes.shard import delivered
from orderstream.errors import DependencyError
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_workers.projections.order_status import (
    ReadModel,
    ReadModelWriter,
    migrate,
    open_engine,
)


def orders(first: int, last: int) -> list[DeliveredRecord]:
    return [
        delivered(number, envelope_of(placed(f"o-{number:04}"), event_id=f"e-{number}").encode())
        for number in range(first, last)
    ]


def with_room_for(pages: int) -> Callable[[Any, Any], None]:
    def limit(connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    return limit


def test_a_full_disk_is_an_outage_and_the_batch_is_written_when_there_is_room(tmp_path: Path) -> None:
    """It is said in the driver's words; once there is room, all of the batch is written."""
    url = f"sqlite:///{tmp_path / 'model.sqlite'}"
    full = open_engine(url)
    migrate(full)
    ReadModelWriter(full).apply_batch(orders(1, 20))
    full.dispose()
    event.listen(full, "connect", with_room_for(30))
    with pytest.raises(DependencyError, match="database or disk is full"):
        ReadModelWriter(full).apply_batch(orders(20, 500))
    assert ReadModel(full).counts().orders == 19
    full.dispose()

    engine = open_engine(url)
    ReadModelWriter(engine).apply_batch(orders(20, 500))
    assert ReadModel(engine).counts().orders == 499
    engine.dispose()


def test_a_model_that_is_built_anew_is_the_same(tmp_path: Path, server: PostgresServer) -> None:
    """From the oldest record on, in other batches: what it says does not depend on what was there before.

    Nor on the database, so a move from the one to the other is a replay.
    """
    found = []
    urls = (f"sqlite:///{tmp_path / 'first'}", f"sqlite:///{tmp_path / 'anew'}", server.database())
    for url, size in zip(urls, (100, 7, 31), strict=True):
        engine = open_engine(url)
        migrate(engine)
        records = orders(1, 100)
        for start in range(0, len(records), size):
            ReadModelWriter(engine).apply_batch(records[start : start + size])
        found.append(list(ReadModel(engine).orders()))
        engine.dispose()
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 99
