"""Doing one thing again and again until it works, for what a processor cannot go on without."""

import logging
import random
from collections.abc import Callable
from typing import Final

from orderstream.errors import DependencyError
from orderstream_consumer.delivery.breaker import Breaker
from orderstream_consumer.delivery.tally import DeliveryTally
from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.processing.errors import ShardGivenUpError
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.store import ContentionError

logger = logging.getLogger(__name__)

_CONTENTION: Final = Backoff(first=0.2, longest=1.6)
"""After a conflict with a transaction of another worker. With jitter: two in conflict would meet again."""


def wait_out_contention(
    error: ContentionError, earlier: int, stop: StopSignal, breaker: Breaker, tally: DeliveryTally
) -> None:
    """Pause after a ``ContentionError``: the store is well, and one hot item says nothing about the others.

    Args:
        error: What was met.
        earlier: How often it was met before, by this act.
        stop: Ends the pause.
        breaker: Is notified that the dependency responded, so that no other item pauses.
        tally: Counts ``retried``.
    """
    breaker.succeeded()
    tally.retried(str(error))
    stop.wait(_CONTENTION.pause(earlier, random.random()))  # noqa: S311 - jitter


def until_it_works(
    act: Callable[[], object],
    *,
    stop: StopSignal,
    breaker: Breaker,
    tally: DeliveryTally,
    is_over: Callable[[], bool] = lambda: False,
    retried: type[Exception] = DependencyError,
) -> bool:
    """Do something again and again while it fails.

    Args:
        act: What to do.
        stop: Ends the tries, and the pauses between them.
        breaker: Holds back attempts; is notified of the result of each.
        tally: Counts ``retried``.
        is_over: A second reason to try no more, looked at before each try; by default there is none.
        retried: The failures that are tried again; by default those of a dependency.

    Returns:
        Whether it worked; False if we had to stop before.

    Raises:
        ShardGivenUpError: the act says that this process cannot go on.
        Exception: what the act raised and is not ``retried``.
    """
    contentions = 0
    while not (stop.is_set() or is_over()):
        if pause := breaker.pause():
            stop.wait(pause)
            continue
        try:
            act()
        except ContentionError as error:
            wait_out_contention(error, contentions, stop, breaker, tally)
            contentions += 1
        except ShardGivenUpError:
            raise  # no further try can help
        except retried as error:
            breaker.failed()
            tally.retried(str(error))
            # An outage explains itself; anything else is a defect, and its trace is needed to fix it.
            outage = isinstance(error, DependencyError)
            level = logging.WARNING if outage else logging.ERROR
            logger.log(level, "it fails, trying again", extra={"error": error}, exc_info=not outage)
        else:
            breaker.succeeded()
            return True
    return False
