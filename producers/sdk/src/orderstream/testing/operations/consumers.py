"""Enhanced fan-out: registered consumers, and subscriptions to shards."""

import re
from collections.abc import Callable
from typing import Final

from orderstream.testing.errors import KinesisError, invalid_argument
from orderstream.testing.operations.family import OperationFamily
from orderstream.testing.operations.reading import Reading, record_shape
from orderstream.testing.operations.shapes import child_shape
from orderstream.testing.operations.tags import add_tags
from orderstream.testing.state.consumers import Consumer, Event, Subscription
from orderstream.testing.state.streams import Request, Response, Streams

_ARN: Final = re.compile(r"(arn:aws[^:]*:kinesis:[^:]*:[0-9]{12}:stream/[^/]+)/consumer/([^:]+):[0-9]+")
_CREATING_AT_ONCE: Final = 5
"""Most consumers in the state CREATING, by the documentation of RegisterStreamConsumer."""
_LISTED_AT_ONCE: Final = 100


class ConsumerOperations(OperationFamily):
    """The operations of enhanced fan-out.

    Args:
        streams: The streams that they work on.
        reading: Finds where a subscription begins.
    """

    def __init__(self, streams: Streams, reading: Reading) -> None:
        super().__init__(streams)
        self._reading = reading

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """See ``OperationFamily``."""
        return {
            "RegisterStreamConsumer": self._register,
            "DescribeStreamConsumer": self._describe,
            "ListStreamConsumers": self._list,
            "DeregisterStreamConsumer": self._deregister,
            "SubscribeToShard": self._subscribe,
        }

    def _register(self, request: Request) -> Response:
        stream, now, name = self._streams.usable(request), self._streams.clock(), str(request["ConsumerName"])
        there, limits = self._streams.consumers_of(stream), self._streams.limits
        if any(consumer.name == name for consumer in there):
            raise KinesisError("ResourceInUseException", f"Consumer {name} exists on stream {stream.arn}.")
        if len(there) >= limits.fan_out_consumers:
            message = f"Stream {stream.name} has {limits.fan_out_consumers} registered consumers, the most."
            raise KinesisError("LimitExceededException", message)
        if sum(consumer.status(now) == "CREATING" for consumer in there) >= _CREATING_AT_ONCE:
            message = f"Stream {stream.name} has {_CREATING_AT_ONCE} consumers in the state CREATING."
            raise KinesisError("LimitExceededException", message)
        arn = f"{stream.arn}/consumer/{name}:{int(now)}"
        tags = add_tags({}, request.get("Tags", {}), name)
        consumer = Consumer(name, arn, stream, now, self._streams.done_at(now), tags=tags)
        there.append(consumer)
        return {"Consumer": self._shape(consumer)}

    def _describe(self, request: Request) -> Response:
        consumer = self._found(request)
        described = self._shape(consumer) | {"StreamARN": consumer.stream.arn}
        return {"ConsumerDescription": described}

    def _list(self, request: Request) -> Response:
        stream, start = self._streams.find(request), request.get("NextToken", "")
        created = request.get("StreamCreationTimestamp")
        if created is not None and int(created) != int(stream.created_at):
            raise invalid_argument(f"Stream {stream.name} was not created at {created}.")
        registered = self._streams.consumers_of(stream)
        names = sorted(consumer.name for consumer in registered if consumer.name > start)
        limit = min(request.get("MaxResults", _LISTED_AT_ONCE), _LISTED_AT_ONCE)
        page = [consumer for consumer in registered if consumer.name in names[:limit]]
        response: Response = {"Consumers": [self._shape(each) for each in sorted(page, key=_name)]}
        return response | ({"NextToken": names[limit - 1]} if len(names) > limit else {})

    def _deregister(self, request: Request) -> Response:
        consumer, now = self._found(request), self._streams.clock()
        consumer.gone_at = self._streams.done_at(now)
        return {}

    def _subscribe(self, request: Request) -> Response:
        consumer, now, limits = self._found(request), self._streams.clock(), self._streams.limits
        stream, begin = consumer.stream, request["StartingPosition"]
        shard = stream.retained_shard(request["ShardId"], now)
        asked = {"ShardIteratorType": begin["Type"]}
        for name, member in (("SequenceNumber", "StartingSequenceNumber"), ("Timestamp", "Timestamp")):
            if name in begin:
                asked[member] = begin[name]
        position = self._reading.start(stream, shard, asked, now)
        opened = consumer.subscribe(
            shard, position, now, seconds=limits.subscription_seconds, rate=limits.read_bytes
        )
        return {"EventStream": opened}

    def _found(self, request: Request) -> Consumer:
        """The consumer of a request, by its ARN, or by its name and its stream's ARN.

        Raises:
            KinesisError: it names none, two that differ, or one that is not there.
        """
        arn, name, stream = (request.get(member) for member in ("ConsumerARN", "ConsumerName", "StreamARN"))
        if arn is not None:
            parts = _ARN.fullmatch(arn)
            if parts is None:
                raise invalid_argument(f"{arn} is not the ARN of a consumer.")
            if stream not in (None, parts[1]) or name not in (None, parts[2]):
                raise invalid_argument(f"ConsumerARN {arn} is of another stream, or of another consumer.")
            stream, name = parts[1], parts[2]
        if stream is None or name is None:
            raise invalid_argument("Either ConsumerARN, or StreamARN and ConsumerName, must be given.")
        where = self._streams.find({"StreamARN": stream})
        for consumer in self._streams.consumers_of(where):
            if consumer.name == name and arn in (None, consumer.arn):
                return consumer
        raise KinesisError("ResourceNotFoundException", f"Consumer {arn or name} on {stream} not found.")

    def _shape(self, consumer: Consumer) -> Response:
        return {
            "ConsumerName": consumer.name,
            "ConsumerARN": consumer.arn,
            "ConsumerStatus": consumer.status(self._streams.clock()),
            "ConsumerCreationTimestamp": consumer.created_at,
        }


def event_shape(subscription: Subscription, event: Event) -> Response:
    """An event of a subscription as the service model writes it."""
    shard, stream = subscription.shard, subscription.consumer.stream
    shape: Response = {
        "Records": [record_shape(stream, record) for record in event.records],
        "MillisBehindLatest": int(event.behind * 1_000),
    }
    if event.continues_at is None:
        return shape | {"ChildShards": [child_shape(child) for child in shard.children]}
    return shape | {"ContinuationSequenceNumber": shard.sequence_number(event.continues_at)}


def _name(consumer: Consumer) -> str:
    return consumer.name
