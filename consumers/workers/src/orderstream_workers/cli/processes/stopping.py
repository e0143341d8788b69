"""How a process is asked to drain."""

import signal
import threading


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM, SIGINT and SIGHUP (a terminal that closes) set from now on."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop
