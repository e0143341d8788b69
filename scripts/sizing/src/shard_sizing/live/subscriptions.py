"""The subscriptions that are open, and how another thread ends one at once.

``close`` of botocore's event stream waits for the next event, and pulls the stream from under its reader.
What wakes a reader within milliseconds is to shut its socket down; urllib3 2.3 and later offer that, and
botocore 1.37 and later pass the raw response to event handlers (``before-parse``). Where either is missing,
the stream is closed.
"""

import logging
import threading
from typing import Any

from botocore.client import BaseClient

logger = logging.getLogger(__name__)


class Subscriptions:
    """The open subscriptions of one client, by shard.

    Args:
        client: A boto3 Kinesis client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._calling = threading.local()
        self._open: dict[str, tuple[Any, Any]] = {}
        self._ended = False
        self._lock = threading.Lock()
        if isinstance(client, BaseClient):
            client.meta.events.register("before-parse.kinesis.SubscribeToShard", self._note)

    def subscribe(self, consumer: str, shard_id: str, position: Any) -> Any:
        """Subscribe to a shard.

        Args:
            consumer: The registered consumer's ARN.
            shard_id: The shard.
            position: Where to begin, as Kinesis' StartingPosition.

        Returns:
            Its stream of events.
        """
        self._calling.raw = None
        answer = self._client.subscribe_to_shard(
            ConsumerARN=consumer, ShardId=shard_id, StartingPosition=position
        )
        events = answer["EventStream"]
        with self._lock:
            self._open[shard_id] = events, self._calling.raw
            ended = self._ended
        if ended:
            self._end(shard_id)
        return events

    def end(self) -> None:
        """End every subscription, also those that are just being made."""
        with self._lock:
            self._ended = True
            shards = list(self._open)
        for shard_id in shards:
            self._end(shard_id)

    def _note(self, response_dict: dict[str, Any], **_: Any) -> None:
        # Called in the thread that subscribes, before it is given the stream.
        self._calling.raw = response_dict.get("body")

    def _end(self, shard_id: str) -> None:
        with self._lock:
            events, raw = self._open.pop(shard_id, (None, None))
        if events is None:
            return
        try:
            raw.shutdown()
        except AttributeError:
            events.close()
        except (RuntimeError, ValueError, OSError) as error:
            # It has ended already, and its connection may serve another call by now.
            logger.debug("subscription is over", extra={"shard_id": shard_id, "error": error})
