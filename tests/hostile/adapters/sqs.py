"""The calls of the payment queue to SQS."""

from collections.abc import Callable
from typing import Final

from hostile.adapters.operation import Clients, Make, Operation, said
from hostile.responses import Wire
from orderstream_workers.services.payments import SqsPaymentQueue
from orderstream_workers.services.payments.queue import QueuedPayment

QUEUE: Final = "/000000000000/payments"


def _queue(call: Callable[[SqsPaymentQueue], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        queue = SqsPaymentQueue(clients.aws("sqs"), clients.url + QUEUE)
        return lambda: call(queue)

    return make


def _look_up(clients: Clients) -> Callable[[], object]:
    sqs = clients.aws("sqs")
    return lambda: SqsPaymentQueue.named(sqs, "payments").send("o-1")


_MESSAGE: Final = QueuedPayment("o-1", "receipt", 1)
_NO_MESSAGES: Final = frozenset(f"Messages-as-{kind}" for kind in ("null", "list", "empty-text", "object"))

SQS: Final = (
    Operation(
        "queue look-up",
        Wire.JSON,
        "GetQueueUrl",
        _look_up,
        said({"QueueUrl": "http://127.0.0.1:9/queue"}),
        before={"SendMessage": said({"MessageId": "m-1"})},
        members=("QueueUrl",),
        fine=frozenset({"QueueUrl-as-text"}),
    ),
    Operation(
        "queue send",
        Wire.JSON,
        "SendMessage",
        _queue(lambda queue: queue.send("o-1")),
        said({"MessageId": "m-1"}),
        members=("MessageId",),
        fine=frozenset({"MessageId-as-text"}),
    ),
    Operation(
        "queue receive",
        Wire.JSON,
        "ReceiveMessage",
        _queue(lambda queue: queue.receive(1, wait=0, visibility=30)),
        said({"Messages": [{"Body": "o-1", "ReceiptHandle": "r", "Attributes": {}}]}),
        members=("Messages",),
        fine=_NO_MESSAGES,
    ),
    Operation(
        "queue extend",
        Wire.JSON,
        "ChangeMessageVisibility",
        _queue(lambda queue: queue.extend(_MESSAGE, 30)),
        said({}),
    ),
    Operation(
        "queue delete", Wire.JSON, "DeleteMessage", _queue(lambda queue: queue.delete(_MESSAGE)), said({})
    ),
    Operation(
        "queue depth",
        Wire.JSON,
        "GetQueueAttributes",
        _queue(lambda queue: queue.depth()),
        said(
            {
                "Attributes": {
                    "ApproximateNumberOfMessages": "1",
                    "ApproximateNumberOfMessagesNotVisible": "0",
                    "ApproximateNumberOfMessagesDelayed": "0",
                }
            }
        ),
        members=("Attributes",),
    ),
)
