"""The catalogue: every message with owner, consumers, schema and example, generated and held to the code."""

from orderstream_orders.catalogue.compatibility import breaking_changes
from orderstream_orders.catalogue.examples import CANCELLED_ORDER, CONFIRMED_ORDER, example_of
from orderstream_orders.catalogue.schemas import schema_of

__all__ = ["CANCELLED_ORDER", "CONFIRMED_ORDER", "breaking_changes", "example_of", "schema_of"]
