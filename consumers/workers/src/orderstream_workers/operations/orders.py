"""Looking orders up in the read model."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from orderstream_workers.projections.order_status import ReadModel, ReadModelError, open_to_read, shown_url


@contextmanager
def read_model_at(url: str) -> Iterator[ReadModel]:
    """The read model of a database, to look at: nothing is created, nothing is changed.

    Args:
        url: SQLAlchemy URL of the database that order status writes.

    Raises:
        ReadModelError: it cannot be opened, is none, or did not answer a question of the body.
    """
    engine = open_to_read(url)
    try:
        yield ReadModel(engine)
    except SQLAlchemyError as error:
        # Its text goes on with the statement, and a link.
        raise ReadModelError(shown_url(url), str(error).partition("\n")[0]) from error
    finally:
        engine.dispose()
