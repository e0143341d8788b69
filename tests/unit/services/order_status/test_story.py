"""Every message of the catalogue has an effect in words."""

import pytest

from orderstream.events import MESSAGE_TYPES, Message
from orderstream_workers.services.order_status.story import _EFFECTS


@pytest.mark.parametrize("message_type", MESSAGE_TYPES)
def test_every_message_is_told(message_type: type[Message]) -> None:
    """A new message type needs its words here, and they hold even where fields are missing."""
    assert _EFFECTS[message_type.type_name()]({})
