"""Delivery: the layer between an engine's five calls and a service's handler, the same under every engine."""

from orderstream_consumer.delivery.batches import BatchHandler, BatchProcessor
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.entries import PARKING
from orderstream_consumer.delivery.handler import Overtakes, RecordHandler, never_overtakes
from orderstream_consumer.delivery.interventions import INTERVENTIONS, Intervention, interventions
from orderstream_consumer.delivery.lanes import Lanes
from orderstream_consumer.delivery.parked import (
    NotFirstError,
    ParkedKey,
    ParkedRecord,
    ParkedRecords,
    RecordIncompleteError,
    RedriveStoppedError,
)
from orderstream_consumer.delivery.parking import Parking, StoredParking
from orderstream_consumer.delivery.persistence import until_it_works
from orderstream_consumer.delivery.processor import LaneProcessor
from orderstream_consumer.delivery.shard_delivery import DeliveryConfig
from orderstream_consumer.delivery.shard_work import ShardWork
from orderstream_consumer.delivery.tally import DeliveryTally

__all__ = [
    "INTERVENTIONS",
    "PARKING",
    "BatchHandler",
    "BatchProcessor",
    "Breaker",
    "DeliveryConfig",
    "DeliveryTally",
    "Intervention",
    "LaneProcessor",
    "Lanes",
    "NotFirstError",
    "Overtakes",
    "ParkedKey",
    "ParkedRecord",
    "ParkedRecords",
    "Parking",
    "RecordHandler",
    "RecordIncompleteError",
    "RedriveStoppedError",
    "ShardWork",
    "StoredParking",
    "interventions",
    "never_overtakes",
    "until_it_works",
]
