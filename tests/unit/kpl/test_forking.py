"""Forks, each in a subprocess of its own: a fork copies the test runner's threads' locks, too."""

import ctypes
import os
import subprocess
import sys

from orderstream.producer.tracking.process import PidProbe

SCRIPT = """
import os
from fakes.kpl import TinyClient
from orderstream import ForkedProducerError, Producer, ProducerConfig

client = TinyClient()
client.gate.clear()
producer = Producer("orders", client=client, config=ProducerConfig(buffered_bytes=2**20))
delivery = producer.put(b"parent's", "key")
LOCK
child = os.fork()
if child == 0:
    refused = 0
    listen = lambda: delivery.add_done_callback(print)
    for operation in (lambda: producer.put(b"child's", "key"), producer.flush, delivery.result, listen):
        try:
            operation()
        except ForkedProducerError:
            refused += 1
    assert producer.close() == ()
    # A client of its own: a thread of the parent's may have held a lock of the other when it was copied.
    fresh = TinyClient()
    with Producer("orders", client=fresh) as own:
        own.put(b"child's own", "key").result(20)
    os._exit(0 if refused == 4 and fresh.payloads == [b"child's own"] else 1)
UNLOCK
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
client.gate.set()
delivery.result(20)
assert producer.close(20) == ()
assert client.payloads == [b"parent's"]
print("done")
"""


def run(script: str) -> str:
    ended = subprocess.run(
        # From 3.12 on Python warns of the very thing that is tried here.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    return ended.stdout + ended.stderr


def test_a_forked_child_is_refused_and_may_make_a_producer_of_its_own() -> None:
    """What was under way stays with the parent and arrives once; nothing hangs in the child."""
    assert run(SCRIPT.replace("UNLOCK", "").replace("LOCK", "")) == "done\n"


def test_a_fork_in_the_middle_of_a_put_leaves_no_lock_behind() -> None:
    """Whoever held the lock at the fork does not exist in the child, which must not wait for him."""
    held = SCRIPT.replace("UNLOCK", "producer._shell.buffer._lock.release()")
    assert run(held.replace("LOCK", "producer._shell.buffer._lock.acquire()")) == "done\n"


def test_a_child_that_exits_normally_leaves_the_parents_records_alone() -> None:
    """The child's exit neither flushes nor warns: the records are not its own."""
    assert (
        run(
            SCRIPT.replace("UNLOCK", "")
            .replace("LOCK", "")
            .replace("child = os.fork()\n", "child = os.fork()\nif child == 0:\n    raise SystemExit(0)\n")
        )
        == "done\n"
    )


BY_C = """
import ctypes
import os
from fakes.kpl import TinyClient
from orderstream import ForkedProducerError, Producer, ProducerConfig

client = TinyClient()
producer = Producer("orders", client=client, config=ProducerConfig(linger=60))
producer.put(b"first", "key")
producer.flush()
delivery = producer.put(b"parent's", "key")
# C's own locks are copied as they are: the threads have to rest.
while not producer._shell.buffer._asleep:
    pass
child = ctypes.PyDLL(None).fork()
if child == 0:
    refused = 0
    listen = lambda: delivery.add_done_callback(print)
    for operation in (lambda: producer.put(b"child's", "key"), producer.flush, delivery.result, listen):
        try:
            operation()
        except ForkedProducerError:
            refused += 1
    assert producer.close() == ()
    fresh = TinyClient()
    own = Producer("orders", client=fresh)
    own.put(b"child's own", "key").result(20)
    assert own.close(20) == ()
    os._exit(0 if refused == 4 and fresh.payloads == [b"child's own"] else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert producer.close(20) == ()
assert client.payloads == [b"first", b"parent's"]
print("done")
"""


def test_a_fork_that_python_does_not_hear_of_is_noticed() -> None:
    """So does uWSGI, and runs no hook of Python: the copy refuses all the same, and an own one works."""
    assert run(BY_C) == "done\n"


def test_where_no_page_can_be_marked_process_ids_tell() -> None:
    """Linux before 4.14, and other systems."""
    probe = PidProbe()
    assert probe[0]
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        os._exit(0 if not probe[0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
