"""What SQS may do with messages and seldom does: bring one again, and bring them in another order."""

import json
from collections import deque
from random import Random
from typing import Any

_REMEMBERED = 50
_HELD = 3


class Deliveries:
    """Remembers what a queue's consumer has been brought.

    Args:
        random: Chooses what comes again, and the order.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._earlier: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._held: deque[dict[str, Any]] = deque()

    def remember(self, body: bytes) -> None:
        """Note what a response brings."""
        self._earlier.extend(json.loads(body or b"{}").get("Messages", []))

    def again(self, body: bytes, most: int) -> bytes | None:
        """Put one message that was brought before among those of a response.

        In a full response it takes the place of the last, which is held back: it comes late, in a response
        that is put out of order, or when its visibility ends.

        Args:
            body: The response of ``ReceiveMessage``.
            most: Messages that were asked for; one more would be no response of SQS's.

        Returns:
            Another answer, or None where there is nothing to repeat, or enough is held back already.
        """
        response = json.loads(body or b"{}")
        messages = response.get("Messages", [])
        new = {message["MessageId"] for message in messages}
        known = [message for message in self._earlier if message["MessageId"] not in new]
        self._earlier.extend(messages)
        if not known:
            return None
        if len(messages) >= most:
            if len(self._held) >= _HELD:
                return None
            self._held.append(messages.pop())
        response["Messages"] = [self._random.choice(known), *messages]
        return json.dumps(response).encode()

    def shuffled(self, body: bytes) -> bytes | None:
        """Change the order of a response's messages; None where there are not two.

        A message that is held back overtakes nobody: it takes the place of the last, which is held instead.
        """
        response = json.loads(body or b"{}")
        messages = response.get("Messages", [])
        self._earlier.extend(messages)
        if messages and self._held:
            self._held.append(messages.pop())
            messages.append(self._held.popleft())
            return json.dumps(response).encode()
        if len(messages) < 2:
            return None
        first = messages[0]
        while messages[0] is first:
            self._random.shuffle(messages)
        return json.dumps(response).encode()
