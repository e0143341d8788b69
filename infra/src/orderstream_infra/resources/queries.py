"""The queries of the logs, saved where operators ask them."""

from collections.abc import Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

from orderstream_workers.runtime.telemetry.insights import PREFIX, insights
from orderstream_workers.runtime.topology.log_queries import QUERIES


def saved_queries(scope: Construct, groups: Sequence[logs.ILogGroup]) -> None:
    """Save every declared query, over the logs of all processes.

    Args:
        scope: Where they belong.
        groups: The logs, at most 50.
    """
    for query in QUERIES:
        logs.CfnQueryDefinition(
            scope,
            f"Query-{query.name}",
            name=f"{PREFIX}/{query.name}",
            query_string=f"# {query.question}\n{insights(query)}",
            log_group_names=[group.log_group_name for group in groups],
        )
