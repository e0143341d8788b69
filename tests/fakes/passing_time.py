"""Time that passes while somebody waits."""

import threading


class PassingTime(threading.Event):
    """A stop signal, and a clock that its waiting moves on: pauses pass at once."""

    now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()

    def clock(self) -> float:
        return self.now
