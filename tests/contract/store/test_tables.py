"""Tables as they are created: what expires is left to DynamoDB to delete."""

import pytest
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream_consumer.store import TableSpec, create_tables


@pytest.mark.parametrize(("expires", "status"), [("expires_at", "ENABLED"), (None, "DISABLED")])
def test_time_to_live_is_as_the_table_says(expires: str | None, status: str) -> None:
    """For a new table and, at the next provisioning, for one that an earlier version has created."""
    with mock_aws():
        client = moto_client("dynamodb")
        create_tables(client, [TableSpec("old")])
        for _ in range(2):
            create_tables(client, [TableSpec("new", expires=expires), TableSpec("old", expires=expires)])
        for table in ("new", "old"):
            found = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            assert found["TimeToLiveStatus"] == status
            assert found.get("AttributeName") == expires
        client.close()
