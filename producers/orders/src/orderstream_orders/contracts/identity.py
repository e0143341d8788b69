"""The id of an order is derived from what its caller calls it, so that a retry places no second order."""

import uuid
from typing import Final

_ORDERS: Final = uuid.UUID("6a1c4d3e-52b1-5d0f-9d6e-0c6f3a1f7b21")


def order_id_for(caller: str, idempotency_key: str) -> str:
    """The id of the order that a caller places under an idempotency key.

    Args:
        caller: Who places it; keys of different callers never meet.
        idempotency_key: The caller's own name for the order, e.g. an invoice number.

    Returns:
        A UUIDv5, the same for the same arguments.
    """
    return str(uuid.uuid5(_ORDERS, f"{len(caller)}:{caller}/{idempotency_key}"))
