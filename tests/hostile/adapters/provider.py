"""The calls of payments to the payment provider."""

from collections.abc import Callable
from typing import Final

import httpx

from hostile.adapters.operation import Clients, Make, Operation
from hostile.responses import Wire, good
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider.http import HttpPaymentProvider


def _provider(call: Callable[[HttpPaymentProvider], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        provider = HttpPaymentProvider(clients.http(), clients.url, timeout=httpx.Timeout(clients.patience))
        return lambda: call(provider)

    return make


PROVIDER: Final = (
    Operation(
        "provider charge",
        Wire.HTTP,
        "POST /v1/charges",
        _provider(lambda provider: provider.charge(Charge("o-1", 1, "GBP", "o-1:capture"))),
        good(Wire.HTTP, b'{"charge_id": "ch_1"}'),
        members=("charge_id",),
        fine=frozenset({"charge_id-as-text"}),
    ),
    Operation(
        "provider refund",
        Wire.HTTP,
        "POST /v1/refunds",
        _provider(lambda provider: provider.refund(Refund("o-1", "ch_1", 1, "GBP", "o-1:refund"))),
        good(Wire.HTTP, b'{"refund_id": "re_1"}'),
        members=("refund_id",),
        fine=frozenset({"refund_id-as-text"}),
    ),
)
