"""Where in the archive a record belongs: the object of its shard that it is in, or comes after.

Needed where no checkpoint says so: an archiver that begins a shard again may begin in the middle of an
object, since the stream has trimmed that object's first records meanwhile. Objects that begin there would
overlap those that are there, in a second chain.
"""

import datetime as dt
from typing import Final

from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_workers.services.archiver.names import arrival_date, date_of, file_name, shard_folder
from orderstream_workers.services.archiver.objects import ObjectStore

_LONGEST_RETENTION: Final = dt.timedelta(days=366)
"""Kinesis keeps a record for 8,760 hours at most (Kinesis developer guide, "Quotas and limits").

An object was written of records that the stream held at one time, so it begins no longer than that before any
record in it.
"""

_CLOCKS: Final = dt.timedelta(days=1)
"""Arrival times of neighbours may be out of order, so the first of them may bear the later date."""


def object_before(objects: ObjectStore, record: DeliveredRecord) -> str | None:
    """The name of the last object of a record's shard that begins at or before it; None if there is none.

    It lists one folder for each day back to the object that it finds: a shard that was never archived costs a
    listing for each day of the archive, up to a year.

    Raises:
        DependencyError: the archive could not be listed.
    """
    latest = arrival_date(record) + _CLOCKS
    dates = [date for folder in objects.folders() if (date := date_of(folder)) is not None]
    for date in sorted(dates, reverse=True):
        if latest - _LONGEST_RETENTION - _CLOCKS <= date <= latest:
            folder = shard_folder(date, record.shard_id)
            bound = folder + file_name(record.position)
            found = [name for name in objects.names(folder) if name <= bound]
            if found:
                return found[-1]
    return None
