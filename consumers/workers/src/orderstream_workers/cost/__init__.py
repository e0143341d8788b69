"""What an order costs, from its messages and lines: counted units of each message, and the prices on file."""

from orderstream_workers.cost.estimate import Estimate, estimated

__all__ = ["Estimate", "estimated"]
