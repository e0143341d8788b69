"""The calls to DynamoDB: of the store, of the lease table, and of the store of idempotency keys."""

import base64
import datetime as dt
import zlib
from collections.abc import Callable
from typing import Any, Final

from hostile.adapters.operation import Clients, Make, Operation, said
from hostile.responses import Wire
from orderstream.kinesis.shard import HashRange
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable, Lease
from orderstream_consumer.engines.embedded.leases.items import lease_to_item
from orderstream_consumer.store import Add, Delete, DynamoDBStore, Put, TableSpec, create_tables
from orderstream_orders.api.idempotency import Accepted
from orderstream_orders.api.idempotency_dynamodb import DynamoDBIdempotencyStore


def _item(**attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": "o-1"}, "version": {"N": "1"}, **attributes}


def _store(call: Callable[[DynamoDBStore], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        store = DynamoDBStore(clients.aws("dynamodb"), "orderstream-")
        return lambda: call(store)

    return make


_LEASE: Final = Lease(lease_key="shardId-000000000000", hash_range=HashRange(0, 2**128 - 1))

_TAKEN: Final = Lease(
    lease_key="shardId-000000000000",
    hash_range=HashRange(0, 2**128 - 1),
    lease_owner="w-1",
    lease_counter=1,
)


def _leases(call: Callable[[DynamoDBLeaseTable], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        table = DynamoDBLeaseTable(clients.aws("dynamodb"), "orderstream-saga-consumer")
        return lambda: call(table)

    return make


def _tables(clients: Clients) -> Callable[[], object]:
    dynamodb = clients.aws("dynamodb")
    specs = [TableSpec("parking", sorted=True, expires="expires_at")]
    return lambda: create_tables(dynamodb, specs, "orderstream-")


def _accepted(call: Callable[[DynamoDBIdempotencyStore], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        store = DynamoDBIdempotencyStore(clients.aws("dynamodb"), "orderstream-idempotency-keys")
        return lambda: call(store)

    return make


_ACCEPTED: Final = Accepted(
    digest="d", placed_at=dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC), event_id="e-1"
)

_ACCEPTED_ITEM: Final = {
    "pk": {"S": "o-1"},
    "digest": {"S": "d"},
    "placed_at": {"S": "2010-12-01T08:26:00+00:00"},
    "event_id": {"S": "e-1"},
    "event": {"B": base64.b64encode(zlib.compress(b"{}")).decode()},
}

_CREATED: Final = said({"TableDescription": {"TableStatus": "CREATING"}})
_NOT_YET_USABLE: Final = said({"Table": {"TableStatus": "CREATING"}})
_USABLE: Final = said({"Table": {"TableStatus": "ACTIVE"}})
_NOT_EXPIRING: Final = said({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})
_EXPIRING: Final = said({"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires_at"}})

_PREPARED: Final = {
    "CreateTable": _CREATED,
    "DescribeTable": (_NOT_YET_USABLE, _USABLE),
    "DescribeTimeToLive": _NOT_EXPIRING,
    "UpdateTimeToLive": _EXPIRING,
}
"""What DynamoDB responds while a worker creates its tables at its start."""

_NOTHING_READ: Final = frozenset({"Item-as-null"})
_TWO: Final = [Put("t", "a", {}, None), Put("t", "b", {}, None)]

DYNAMODB: Final = (
    Operation(
        "store get",
        Wire.JSON,
        "GetItem",
        _store(lambda store: store.get("t", "o-1")),
        said({"Item": _item()}),
        members=("Item",),
        fine=_NOTHING_READ,
    ),
    Operation(
        "store get_many",
        Wire.JSON,
        "BatchGetItem",
        _store(lambda store: store.get_many("t", ["o-1"])),
        said({"Responses": {"orderstream-t": [_item()]}, "UnprocessedKeys": {}}),
        members=("Responses",),
    ),
    Operation(
        "store query",
        Wire.JSON,
        "Query",
        _store(lambda store: store.query("t", "o-1")),
        said({"Items": [_item()], "Count": 1}),
        members=("Items",),
    ),
    Operation(
        "store scan",
        Wire.JSON,
        "Scan",
        _store(lambda store: list(store.scan("t"))),
        said({"Items": [_item()], "Count": 1}),
        members=("Items",),
    ),
    Operation("store put", Wire.JSON, "PutItem", _store(lambda store: store.transact(_TWO[:1])), said({})),
    Operation(
        "store add",
        Wire.JSON,
        "UpdateItem",
        _store(lambda store: store.transact([Add("t", "a", {"n": 1}, {})])),
        said({}),
    ),
    Operation(
        "store delete",
        Wire.JSON,
        "DeleteItem",
        _store(lambda store: store.transact([Delete("t", "a", 1)])),
        said({}),
    ),
    Operation(
        "store transact",
        Wire.JSON,
        "TransactWriteItems",
        _store(lambda store: store.transact(_TWO)),
        said({}),
    ),
    *(
        Operation(
            f"tables {operation}", Wire.JSON, operation, _tables, good, before=_PREPARED, members=members
        )
        for operation, good, members in (
            ("CreateTable", _CREATED, ("TableDescription",)),
            ("DescribeTable", _USABLE, ("Table",)),
            ("DescribeTimeToLive", _NOT_EXPIRING, ("TimeToLiveDescription",)),
            ("UpdateTimeToLive", _EXPIRING, ()),
        )
    ),
    *(
        Operation(
            f"leases {operation}",
            Wire.JSON,
            operation,
            _leases(lambda table: table.create_table()),
            good,
            before=_PREPARED,
            members=members,
        )
        for operation, good, members in (
            ("CreateTable", _CREATED, ("TableDescription",)),
            ("DescribeTable", _USABLE, ("Table",)),
        )
    ),
    Operation(
        "leases list",
        Wire.JSON,
        "Scan",
        _leases(lambda table: table.list_leases()),
        said({"Items": [lease_to_item(_LEASE)], "Count": 1}),
        members=("Items",),
    ),
    Operation(
        "leases get",
        Wire.JSON,
        "GetItem",
        _leases(lambda table: table.get("shardId-000000000000")),
        said({"Item": lease_to_item(_LEASE)}),
        members=("Item",),
        fine=_NOTHING_READ,
    ),
    Operation(
        "leases create",
        Wire.JSON,
        "PutItem",
        _leases(lambda table: table.create_if_absent(_LEASE)),
        said({}),
    ),
    Operation(
        "leases replace",
        Wire.JSON,
        "UpdateItem",
        _leases(lambda table: table.replace(_LEASE, _TAKEN)),
        said({}),
    ),
    Operation(
        "leases delete", Wire.JSON, "DeleteItem", _leases(lambda table: table.delete(_TAKEN)), said({})
    ),
    Operation(
        "accepted orders put",
        Wire.JSON,
        "PutItem",
        _accepted(lambda store: store.put_if_absent("o-1", _ACCEPTED)),
        said({}),
    ),
    Operation(
        "accepted orders get",
        Wire.JSON,
        "GetItem",
        _accepted(lambda store: store.get("o-1")),
        said({"Item": _ACCEPTED_ITEM}),
        members=("Item",),
        fine=_NOTHING_READ,
    ),
)
