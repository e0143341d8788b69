"""What SQS may do with messages and seldom does: bring one again, and bring them in another order."""

import json
from collections import deque
from random import Random
from typing import Any

_REMEMBERED = 50


class Deliveries:
    """Remembers what a queue's consumer has been brought.

    Args:
        random: Chooses what comes again, and the order.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._earlier: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    def remember(self, body: bytes) -> None:
        """Note what an answer brings."""
        self._earlier.extend(json.loads(body or b"{}").get("Messages", []))

    def again(self, body: bytes, most: int) -> bytes | None:
        """Put one message that was brought before among those of an answer.

        Args:
            body: The answer of ``ReceiveMessage``.
            most: Messages that were asked for; one more would be no answer of SQS's.

        Returns:
            Another answer, or None where there is nothing to repeat or no room.
        """
        answer = json.loads(body or b"{}")
        messages = answer.get("Messages", [])
        new = {message["MessageId"] for message in messages}
        known = [message for message in self._earlier if message["MessageId"] not in new]
        self._earlier.extend(messages)
        if not known or len(messages) >= most:
            return None
        answer["Messages"] = [self._random.choice(known), *messages]
        return json.dumps(answer).encode()

    def shuffled(self, body: bytes) -> bytes | None:
        """Change the order of an answer's messages; None where there are not two."""
        answer = json.loads(body or b"{}")
        messages = answer.get("Messages", [])
        self._earlier.extend(messages)
        if len(messages) < 2:
            return None
        first = messages[0]
        while messages[0] is first:
            self._random.shuffle(messages)
        return json.dumps(answer).encode()
