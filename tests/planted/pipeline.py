"""Defects that delivery, effects and services are prone to, each with the tests that must find it."""

from planted.bug import Bug

_PROPERTY = "tests/property"

BUGS = (
    Bug(
        "two records of a key are handled at the same time",
        "orderstream_consumer/delivery/lanes.py",
        "if key not in self._running and key not in self._waiting:",
        "if key not in self._waiting:",
        f"{_PROPERTY}/engine_delivery",
    ),
    Bug(
        "a lane goes on with the key's next record though the last was abandoned",
        "orderstream_consumer/delivery/lanes.py",
        "            self._free.appendleft(index)\n            return\n",
        "            self._free.appendleft(index)\n",
        f"{_PROPERTY}/engine_delivery",
    ),
    Bug(
        "the inbox drops its newest entry instead of the oldest",
        "orderstream_consumer/idempotency/inbox.py",
        "[-self._capacity :]",
        "[: self._capacity]",
        "tests/unit/effects/test_once.py",
    ),
    Bug(
        "a message that comes again is applied again",
        "orderstream_consumer/idempotency/inbox.py",
        "        if received.envelope.id not in self._entries:\n",
        "        if received.envelope.id:\n",
        "tests/property/effects/test_once.py",
    ),
    Bug(
        "an output whose acknowledgement was lost is not published again",
        "orderstream_consumer/idempotency/once.py",
        "                    outputs = inbox.outputs(received.envelope.id)\n",
        "                    outputs = []\n",
        "tests/property/effects/test_once.py",
    ),
    Bug(
        "outputs are published before the state is committed",
        "orderstream_consumer/idempotency/once.py",
        "        entries = inbox.with_entry(received, outputs)\n",
        "        self._publisher.publish(outputs, received.subject)\n"
        "        entries = inbox.with_entry(received, outputs)\n",
        "tests/unit/effects/test_once.py",
    ),
    Bug(
        "a request that goes out again after a crash keeps its old deadline",
        "orderstream_workers/services/saga/domain.py",
        "        if progress.due is None or due > progress.due:\n",
        "        if progress.due is None:\n",
        f"{_PROPERTY}/services/saga",
    ),
    Bug(
        "one permit too many",
        "orderstream_consumer/limits/rate_limit.py",
        "room // interval + 1)",
        "room // interval + 2)",
        "tests/property/effects/test_rate_limit.py",
    ),
    Bug(
        "permits of a pause are saved up without bound",
        "orderstream_consumer/limits/rate_limit.py",
        "    base = max(tat, now)\n",
        "    base = tat or now\n",
        "tests/property/effects/test_rate_limit.py",
    ),
    Bug(
        "a refund that waited for the capture is forgotten",
        "orderstream_workers/services/payments/domain.py",
        "phase = Phase.REFUNDING if payment.refund_requested else Phase.CAPTURED",
        "phase = Phase.CAPTURED",
        f"{_PROPERTY}/services/payments",
    ),
    Bug(
        "a voided payment is captured",
        "orderstream_workers/services/payments/domain.py",
        "    if payment is None:\n        queued",
        "    if payment is None or payment.phase is Phase.VOIDED:\n        queued",
        f"{_PROPERTY}/services/payments",
    ),
    Bug(
        "a repeated capture of what was given back counts as declined",
        "orderstream_workers/services/payments/domain.py",
        "        case Phase.CAPTURED | Phase.REFUNDING | Phase.REFUNDED:\n"
        "            return PaymentOutcome(payment, to_capture=_captured(payment))\n",
        "        case Phase.CAPTURED:\n"
        "            return PaymentOutcome(payment, to_capture=_captured(payment))\n"
        "        case Phase.REFUNDING | Phase.REFUNDED:\n"
        '            return PaymentOutcome(payment, to_capture=_declined(payment, "refunded"))\n',
        f"{_PROPERTY}/services/payments",
    ),
    Bug(
        "the order is cancelled while a compensation is not answered",
        "orderstream_workers/services/saga/domain.py",
        "            if Status.CANCELLING in statuses.values():\n                return SagaOutcome(saga)\n",
        "            if len(group) > len(statuses):\n                return SagaOutcome(saga)\n",
        f"{_PROPERTY}/services/saga",
    ),
    Bug(
        "an order is cancelled after the point of no return",
        "orderstream_workers/services/saga/domain.py",
        "        if saga.phase is Phase.RUNNING:\n            return self._turn_back(saga",
        "        if saga.phase in (Phase.RUNNING, Phase.COMMITTED):\n            return self._turn_back(saga",
        f"{_PROPERTY}/services/saga",
    ),
    Bug(
        "a step that was refused is undone all the same",
        "orderstream_workers/services/saga/domain.py",
        "if statuses[step.name] in {Status.REQUESTED, Status.DONE}]",
        "if statuses[step.name] in {Status.REQUESTED, Status.DONE, Status.REFUSED}]",
        f"{_PROPERTY}/services/saga",
    ),
    Bug(
        "what a rejected reservation held is not given back",
        "orderstream_workers/services/inventory/domain.py",
        "        return Step(Reservation(Phase.RELEASING, lines, held, refusal))\n",
        "        return Step(\n            Reservation(Phase.REJECTED, lines, 0, refusal),\n"
        "            answer=_rejected(request.order_id, refusal),\n        )\n",
        f"{_PROPERTY}/services/inventory",
    ),
    Bug(
        "a reservation that comes after its release takes stock",
        "orderstream_workers/services/inventory/domain.py",
        "_release(state or Reservation(Phase.RELEASED, 0, 0), request, chunk)",
        "_release(state, request, chunk) if state else None",
        f"{_PROPERTY}/services/inventory",
    ),
    Bug(
        "a shipment is decided anew each time",
        "orderstream_workers/services/shipping/domain.py",
        "    if shipment is not None:\n",
        "    if shipment is not None and not shipment.outcome:\n",
        f"{_PROPERTY}/services/shipping",
    ),
    Bug(
        "an order's end is overwritten by a later one",
        "orderstream_workers/projections/order_status/status.py",
        'case OrderCancelled() if status.state == "PLACED":',
        "case OrderCancelled():",
        f"{_PROPERTY}/projections/order_status",
    ),
    Bug(
        "the time of a fact is that of its last repetition",
        "orderstream_workers/projections/order_status/status.py",
        "case PaymentCaptured() if status.paid_at is None:",
        "case PaymentCaptured():",
        f"{_PROPERTY}/projections/order_status",
    ),
    Bug(
        "the archive forgets the record behind the object that was written",
        "orderstream_workers/services/archiver/buffer.py",
        "if record.position > position]",
        "if record.position > position][1:]",
        f"{_PROPERTY}/services/archiver",
    ),
)
