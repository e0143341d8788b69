"""A Kinesis producer in the manner of Amazon's KPL; applications import it from ``orderstream``."""
