"""Every call that an adapter makes, through its real client: what it needs, and what it makes of failures."""

from hostile.adapters.archive import ARCHIVE
from hostile.adapters.demo import DEMO
from hostile.adapters.dynamodb import DYNAMODB
from hostile.adapters.kinesis import KINESIS
from hostile.adapters.messaging import MESSAGING
from hostile.adapters.operation import Clients, Operation
from hostile.adapters.provider import PROVIDER
from hostile.adapters.sizing import SIZING
from hostile.adapters.sqs import SQS

OPERATIONS = (*DYNAMODB, *KINESIS, *SQS, *MESSAGING, *ARCHIVE, *PROVIDER, *DEMO)

__all__ = [
    "ARCHIVE",
    "DYNAMODB",
    "KINESIS",
    "MESSAGING",
    "OPERATIONS",
    "PROVIDER",
    "SIZING",
    "SQS",
    "Clients",
    "Operation",
]
