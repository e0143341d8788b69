"""Lanes: one key in order, never too many at once, and a low-water mark below which everything is done."""

from hypothesis import given
from hypothesis import strategies as st

from fakes.engine import record_of
from orderstream_consumer.delivery import Lanes


@given(
    keys=st.lists(st.sampled_from("abcd"), max_size=30),
    max_lanes=st.integers(1, 5),
    max_lead=st.integers(1, 8),
    data=st.data(),
)
def test_lanes_keep_their_promises(
    keys: list[str], max_lanes: int, max_lead: int, data: st.DataObject
) -> None:
    """Whatever ends or is abandoned, in whatever order: order per key, bounds, an honest low-water mark."""
    records = [record_of(key, number) for number, key in enumerate(keys, start=1)]
    lanes = Lanes(records, max_lanes, max_lead)
    running: list[int] = []
    done: set[int] = set()
    abandoned = 0
    while True:
        started = lanes.start()
        running += started
        assert len(running) == lanes.running <= max_lanes
        assert len({keys[index] for index in running}) == len(running)
        for index in started:
            assert all(earlier in done for earlier in range(index) if keys[earlier] == keys[index])
        low = next((index for index in range(len(keys)) if index not in done), len(keys))
        assert lanes.low_water == (records[low - 1].position if low else None)
        assert all(index < low + max_lead for index in (*running, *done))
        if not running:
            break
        index = running.pop(data.draw(st.integers(0, len(running) - 1)))
        is_done = abandoned > 20 or data.draw(st.booleans())
        abandoned += not is_done
        lanes.end(index, done=is_done)
        if is_done:
            done.add(index)
    assert lanes.finished
    assert len(done) == len(keys)
