"""Parcels, as people look at them and report what they have scanned."""

from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.shipping.parcels import Phase
from orderstream_workers.services.shipping.reporting import Report, ShownParcel, parcels, reported

__all__ = ["Phase", "Report", "ShownParcel", "parcels_of", "report_parcel"]


def parcels_of(resources: Resources, *, every: bool = False) -> list[ShownParcel]:
    """The parcels that wait to be handed over, by the time since when, or all that there are.

    Args:
        resources: Where shipping keeps them.
        every: All, wherever they are.

    Raises:
        DependencyError: the store did not respond.
    """
    shown = (one for one in parcels(resources.store) if every or one.parcel.phase is None)
    return sorted(shown, key=lambda one: (one.taken_at is not None, one.taken_at, one.order_id))


def report_parcel(resources: Resources, report: Report) -> bool:
    """Report a scan of a parcel, for shipping to decide about; doing it again does no harm.

    Args:
        resources: Where shipping keeps its state, and what publishes the scan.
        report: The scan.

    Returns:
        Whether it was reported; False where the parcel is as far already.

    Raises:
        UnknownShipmentError: no shipment of the order was asked for.
        ScanRefusedError: the scan cannot be right; nothing was reported.
        DependencyError: the store or the stream did not respond; do it again.
    """
    envelope = reported(resources.store, report, resources.deciding_clock())
    if envelope is None:
        return False
    resources.publisher.publish([envelope.encode()], report.order_id)
    return True
