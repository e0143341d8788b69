"""A narrow conditional store: what the guards of the pipeline need, and nothing else."""

from orderstream_consumer.store.dynamodb import DynamoDBStore
from orderstream_consumer.store.errors import ConditionFailedError, ContentionError, ItemUnreadableError
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
from orderstream_consumer.store.tables import create_tables, is_usable, wait_until_usable

__all__ = [
    "Add",
    "Attribute",
    "Check",
    "ConditionFailedError",
    "ContentionError",
    "Delete",
    "DynamoDBStore",
    "Item",
    "ItemUnreadableError",
    "Put",
    "Store",
    "TableSpec",
    "Write",
    "create_tables",
    "is_usable",
    "wait_until_usable",
]
