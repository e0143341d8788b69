"""Every message of an order can be kept: one that could not would stop its shard forever."""

import msgspec
import pytest

from fakes.shard import delivered
from orderstream.messages import Message
from orderstream_orders.catalogue import example_of
from orderstream_orders.contracts import MESSAGE_TYPES, OrderMessage
from orderstream_workers.projections.order_status.batch import read_batch

OF_ORDERS = [kind for kind in MESSAGE_TYPES if issubclass(kind, OrderMessage)]


@pytest.mark.parametrize("kind", OF_ORDERS, ids=lambda kind: kind.type_name())
def test_every_message_of_an_order_is_read(kind: type[Message]) -> None:
    """As the catalogue has it, and without what its contract lets it leave out."""
    envelope = example_of(kind)
    fields = msgspec.structs.fields(kind)
    required = {field.name: getattr(envelope.message(), field.name) for field in fields if field.required}
    least = msgspec.structs.replace(envelope, data=msgspec.Raw(msgspec.json.encode(kind(**required))))
    arrivals, unreadable = read_batch([delivered(1, envelope.encode()), delivered(2, least.encode())])
    assert (len(arrivals), unreadable) == (2, [])
