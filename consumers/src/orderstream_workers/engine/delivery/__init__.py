"""What stands between an engine's five calls and a service's handler, the same under every engine."""

from orderstream_workers.engine.delivery.breaker import Breaker
from orderstream_workers.engine.delivery.entries import PARKING
from orderstream_workers.engine.delivery.handler import Overtakes, RecordHandler, never_overtakes
from orderstream_workers.engine.delivery.interventions import INTERVENTIONS, Intervention, interventions
from orderstream_workers.engine.delivery.lanes import Lanes
from orderstream_workers.engine.delivery.parked import (
    NotFirstError,
    ParkedKey,
    ParkedRecord,
    ParkedRecords,
    RecordIncompleteError,
    RedriveStoppedError,
)
from orderstream_workers.engine.delivery.parking import Parking, StoredParking
from orderstream_workers.engine.delivery.persistence import until_it_works
from orderstream_workers.engine.delivery.processor import DeliveryConfig, LaneProcessor
from orderstream_workers.engine.delivery.tally import DeliveryTally

__all__ = [
    "INTERVENTIONS",
    "PARKING",
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
    "StoredParking",
    "interventions",
    "never_overtakes",
    "until_it_works",
]
