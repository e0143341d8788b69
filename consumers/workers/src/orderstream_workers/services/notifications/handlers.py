"""Notifies customers of how their orders ended, and of what becomes of the parcels."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Final

from orderstream.messages import following
from orderstream_consumer.idempotency import Decision, Once, Publisher, Received, StateItems
from orderstream_consumer.store import ConditionFailedError, Store, TableSpec
from orderstream_workers.services.notifications.acceptances import Acceptances
from orderstream_workers.services.notifications.domain import (
    NEWS,
    Notice,
    concluded,
    expected,
    key_of,
    mail_about,
    to_send,
)
from orderstream_workers.services.notifications.mailer import Mailer

logger = logging.getLogger(__name__)

SOURCE: Final = "notifications"

NOTICES: Final = TableSpec("notices")
"""Key: order id for the outcome, order id + ``#`` + type for other news. Attributes: state (a ``Notice`` as
JSON) and the inbox, as ``Once`` has them."""


class NotificationHandlers:
    """Mails an order's outcome once, and what becomes of its parcel, and says that it did.

    The intent is written before the mail is sent, and the event is published after it was accepted. Mail has
    no idempotency key, so one narrow window remains: where the process dies, or loses its shard, between
    SES's acceptance and our record of it, or where SES' response is lost, the redelivered event sends the
    same mail again. The other choice would be to send none; hearing the outcome twice is better than never.

    Args:
        store: Where notices are kept.
        publisher: Sends the events, and returns once they are acknowledged.
        mailer: Sends the mails.
        clock: The time (UTC, with zone).
    """

    def __init__(
        self, *, store: Store, publisher: Publisher, mailer: Mailer, clock: Callable[[], dt.datetime]
    ) -> None:
        self._store = store
        self._once = Once(store=store, table=NOTICES.name, state_type=Notice, publisher=publisher)
        self._mailer = mailer
        self._acceptances = Acceptances()
        self._clock = clock

    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        """The handler of each type that notifications act on, by type name."""
        return {kind.type_name(): self.notify for kind in NEWS}

    def notify(self, received: Received) -> None:
        """Notify the customer.

        Raises:
            DependencyError: the store, the stream or SES did not respond; handle it again.
            MailRefusedError: SES will never accept this mail.
        """
        news = received.message(*NEWS)
        key, fresh = key_of(news), expected(news, received.envelope.id, received.record_id)
        notice, _ = self._once.load(key)
        mail = mail_about(news)
        if mail is not None:
            if notice is None:
                notice = self._intend(key, fresh)
            if to_send(notice, received.envelope.id, received.record_id):
                self._acceptances.perform(fresh.event_id, fresh.record_id, lambda: self._mailer.send(mail))
        self._once.apply(received, lambda current: self._conclude(received, current or fresh), key=key)
        self._acceptances.recorded(fresh.event_id, fresh.record_id)

    def _intend(self, key: str, fresh: Notice) -> Notice:
        """Write the intent, and return the stored one: another worker may have been faster."""
        try:
            self._store.transact([StateItems(NOTICES.name, Notice).put(key, fresh)])
        except ConditionFailedError:
            notice, _ = self._once.load(key)
            assert notice is not None, "notices are never deleted"
            return notice
        return fresh

    def _conclude(self, received: Received, notice: Notice) -> Decision[Notice] | None:
        if (notice.event_id, notice.record_id) != (received.envelope.id, received.record_id):
            # Another delivery has notified the customer, or is about to: its own record is its retry.
            logger.debug("news is being reported already", extra={"order_id": received.subject})
            return None
        final, event = concluded(notice, received.subject)
        output = following(received.envelope, event, source=SOURCE, ordinal=0, time=self._clock())
        return Decision(final, [output])
