"""A narrow conditional store: what the guards of the pipeline need, and nothing else."""

from orderstream_consumer.store.dynamodb import DynamoDBStore, create_tables
from orderstream_consumer.store.errors import ConditionFailedError, ContentionError
from orderstream_consumer.store.protocol import (
    Add,
    Attribute,
    Check,
    Delete,
    Item,
    Put,
    Store,
    TableSpec,
    Write,
)

__all__ = [
    "Add",
    "Attribute",
    "Check",
    "ConditionFailedError",
    "ContentionError",
    "Delete",
    "DynamoDBStore",
    "Item",
    "Put",
    "Store",
    "TableSpec",
    "Write",
    "create_tables",
]
