"""Every message about an order has an effect in words."""

import pytest

from orderstream.events import MESSAGE_TYPES, OrderMessage
from orderstream_workers.services.order_status.story import _EFFECTS


@pytest.mark.parametrize("message_type", [kind for kind in MESSAGE_TYPES if issubclass(kind, OrderMessage)])
def test_every_message_is_told(message_type: type[OrderMessage]) -> None:
    """A new message type needs its words here, and they hold even where fields are missing."""
    assert _EFFECTS[message_type.type_name()]({})
