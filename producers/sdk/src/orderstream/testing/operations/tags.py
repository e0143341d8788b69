"""Tags of streams, by stream and by resource."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from orderstream.testing.errors import invalid_argument
from orderstream.testing.operations.family import OperationFamily
from orderstream.testing.state.streams import Request, Response

_MOST: Final = 50
"""Tags of one stream."""
_ALLOWED: Final = re.compile(r"[\w\s.:/=+\-%@]*")


class TagOperations(OperationFamily):
    """The operations on tags."""

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """See ``OperationFamily``."""
        return {
            "AddTagsToStream": self._add,
            "TagResource": self._add,
            "RemoveTagsFromStream": self._remove,
            "UntagResource": self._remove,
            "ListTagsForStream": self._list,
            "ListTagsForResource": self._list_all,
        }

    def _add(self, request: Request) -> Response:
        stream = self._streams.find(request)
        stream.tags = add_tags(stream.tags, request["Tags"], stream.name)
        return {}

    def _remove(self, request: Request) -> Response:
        stream = self._streams.find(request)
        for key in request["TagKeys"]:
            stream.tags.pop(key, None)
        return {}

    def _list(self, request: Request) -> Response:
        tags = self._streams.find(request).tags
        start = request.get("ExclusiveStartTagKey", "")
        keys = [key for key in sorted(tags) if key > start]
        limit = request.get("Limit", _MOST)
        page = [{"Key": key, "Value": tags[key]} for key in keys[:limit]]
        return {"Tags": page, "HasMoreTags": len(keys) > limit}

    def _list_all(self, request: Request) -> Response:
        tags = self._streams.find(request).tags
        return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def add_tags(tags: Mapping[str, str], more: Mapping[str, str], stream: str) -> dict[str, str]:
    """A stream's tags with more of them.

    Raises:
        KinesisError: InvalidArgumentException, for characters that tags cannot have, or too many.
    """
    for text in (*more, *more.values()):
        if _ALLOWED.fullmatch(text) is None:
            raise invalid_argument(
                f"The tag {text!r} has characters other than letters, digits, white space and _.:/=+-%@."
            )
    together = {**tags, **more}
    if len(together) > _MOST:
        raise invalid_argument(f"Stream {stream} cannot have {len(together)} tags, {_MOST} at most.")
    return together
