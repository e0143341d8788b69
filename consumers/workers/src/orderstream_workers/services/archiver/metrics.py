"""What the archiver measures. How far the archive lags is its ``MillisBehindLatest``."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric

OBJECTS: Final = Metric("ArchiveObjects", Kind.COUNTER, "Count", "Objects that were written.")
FOUND: Final = Metric("ArchiveObjectsFound", Kind.COUNTER, "Count", "Objects that were there already.")
GAPS: Final = Metric(
    "ArchiveGaps",
    Kind.COUNTER,
    "Count",
    "Objects behind which records are, or may be, missing from the archive.",
)

COUNTED: Final = {"objects": OBJECTS, "found": FOUND, "gaps": GAPS}
"""By the names that its processor counts."""

METRICS: Final = tuple(COUNTED.values())
"""All of them."""
