"""Looking orders up in the read model."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from orderstream_workers.projections.order_status import ReadModel, ReadModelError, open_to_read, shown_url
from orderstream_workers.runtime.read_model import read_model_credentials
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.pipeline import READ_MODEL


@contextmanager
def read_model_at(settings: Settings) -> Iterator[ReadModel]:
    """The read model of a database, to look at: nothing is created, nothing is changed.

    Args:
        settings: Name the database that order status writes.

    Raises:
        ReadModelError: it cannot be opened, is none, or did not respond.
    """
    url = settings.name_of(READ_MODEL)
    with Resources(settings) as resources:
        engine = open_to_read(url, read_model_credentials(resources))
        resources.close_later(engine.dispose)
        try:
            yield ReadModel(engine)
        except SQLAlchemyError as error:
            # Its text goes on with the statement, and a link.
            raise ReadModelError(shown_url(url), str(error).partition("\n")[0]) from error
