"""Questions that an operator asks of the logs, as values. Pure; a dialect renders them.

``infra`` deploys each as a saved query of CloudWatch Logs Insights, the operations guide shows it, and
``orderstream local logs`` asks it of a local environment. A new question is a row of ``QUERIES``.
"""

from dataclasses import dataclass
from typing import Final, Literal

from orderstream_workers.runtime.topology.log_fields import ERROR, FIELDS

NAMED: Final = FIELDS | {field.name: field for field in ERROR}
"""The fields that a query may name."""

ORDER: Final = "ORDER_ID"
TRACE: Final = "TRACE_ID"
PLACEHOLDERS: Final = (ORDER, TRACE)
"""What an operator replaces before asking."""

Operator = Literal["is", "is not", "is one of", "is known"]
Function = Literal["count", "max", "avg", "p50", "p99", "first", "last"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that a line meets.

    Attributes:
        field: The field.
        operator: What is asked of it; ``is known`` takes no value.
        values: One value, or several for ``is one of``.
    """

    field: str
    operator: Operator
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over the lines of a group.

    Attributes:
        function: How it is computed; ``first`` and ``last`` are the time of the earliest line
            and of the latest, and their field is ``timestamp``.
        name: Its column.
        field: What it is computed of; a count has none.
    """

    function: Function
    name: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A question, and how it is answered.

    Attributes:
        name: What it is called, such as ``slow``.
        question: In plain words.
        where: The conditions that a line meets, all of them.
        show: The fields of each line, where nothing is counted.
        figures: What is computed of each group.
        by: What lines are grouped by.
        sort: A field or a column, and whether the greatest is first.
        limit: Rows at most, 1 to 10,000.
        expected: Whether a healthy run of some orders answers it with at least one row.
    """

    name: str
    question: str
    where: tuple[Condition, ...]
    show: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    by: tuple[str, ...] = ()
    sort: tuple[str, Literal["asc", "desc"]] = ("timestamp", "asc")
    limit: int = 100
    expected: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field of a line that it names."""
        columns = {figure.name for figure in self.figures}
        named = (
            *(condition.field for condition in self.where),
            *self.show,
            *(figure.field for figure in self.figures if figure.field),
            *self.by,
            *({self.sort[0]} - columns),
        )
        return tuple(dict.fromkeys(named))

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What has to be replaced before it is asked."""
        return tuple(value for condition in self.where for value in condition.values if value in PLACEHOLDERS)


def _said(*messages: str) -> Condition:
    return Condition("message", "is" if len(messages) == 1 else "is one of", messages)


_SERIOUS: Final = Condition("level", "is one of", ("ERROR", "CRITICAL"))
_TRIED_AGAIN: Final = _said(
    "a dependency fails, trying again", "it fails, trying again", "payment postponed", "no payments for now"
)
_LINES: Final = Figure("count", "lines")

QUERIES: Final = (
    LogQuery(
        name="errors",
        question="What fails, of which type of message, by which error?",
        where=(_SERIOUS,),
        figures=(_LINES, Figure("first", "first_at", "timestamp"), Figure("last", "last_at", "timestamp")),
        by=("application", "message", "event_type", "error.type"),
        sort=("lines", "desc"),
    ),
    LogQuery(
        name="slow",
        question="Which types of message are slow, and in which application?",
        where=(
            _said("message processed", "batch processed", "payment settled"),
            Condition("duration_seconds", "is known"),
        ),
        figures=(
            Figure("count", "processed"),
            Figure("p50", "median_seconds", "duration_seconds"),
            Figure("p99", "p99_seconds", "duration_seconds"),
            Figure("max", "longest_seconds", "duration_seconds"),
            Figure("max", "longest_wait_seconds", "waited_seconds"),
        ),
        by=("application", "event_type"),
        sort=("p99_seconds", "desc"),
        expected=True,
    ),
    LogQuery(
        name="order",
        question="What happened to one order, in every process?",
        where=(Condition("order_id", "is", (ORDER,)),),
        show=(
            "timestamp",
            "application",
            "level",
            "message",
            "event_type",
            "outcome",
            "reason",
            "error.message",
            "duration_seconds",
            "trace_id",
        ),
        limit=1_000,
        expected=True,
    ),
    LogQuery(
        name="trace",
        question="What was logged in one trace?",
        where=(Condition("trace_id", "is", (TRACE,)),),
        show=(
            "timestamp",
            "application",
            "level",
            "message",
            "event_type",
            "order_id",
            "span_id",
            "error.message",
            "duration_seconds",
        ),
        limit=1_000,
        expected=True,
    ),
    LogQuery(
        name="orders",
        question="How did orders end, why, and after how long?",
        where=(_said("order ended"),),
        figures=(
            Figure("count", "orders"),
            Figure("p50", "median_seconds", "duration_seconds"),
            Figure("p99", "p99_seconds", "duration_seconds"),
        ),
        by=("outcome", "reason"),
        sort=("orders", "desc"),
        expected=True,
    ),
    LogQuery(
        name="overdue",
        question="Which steps of which orders had no reply in time, and what followed?",
        where=(
            _said(
                "no reply came in time; the order is cancelled",
                "ALERT: no reply came in time, and the request is made again",
            ),
        ),
        show=("timestamp", "application", "message", "order_id", "step", "attempt"),
        sort=("timestamp", "desc"),
    ),
    LogQuery(
        name="retries",
        question="What is tried again, and because of which dependency?",
        where=(_TRIED_AGAIN,),
        figures=(
            Figure("count", "tries"),
            Figure("first", "first_at", "timestamp"),
            Figure("last", "last_at", "timestamp"),
        ),
        by=("application", "error.dependency", "error.operation", "error.code"),
        sort=("tries", "desc"),
    ),
    LogQuery(
        name="puts",
        question="Into which stream can producers not put, because of which error, such as throttling?",
        where=(Condition("logger", "is", ("orderstream.producer",)), Condition("failures", "is known")),
        figures=(
            Figure("count", "lines"),
            Figure("max", "failures", "failures"),
            Figure("max", "failing_shards", "failing_shards"),
            Figure("first", "first_at", "timestamp"),
            Figure("last", "last_at", "timestamp"),
        ),
        by=("application", "stream", "operation", "code"),
        sort=("failures", "desc"),
    ),
    LogQuery(
        name="parked",
        question="Which records were parked, and why?",
        where=(_said("record parked"),),
        show=(
            "timestamp",
            "application",
            "order_id",
            "event_type",
            "reason",
            "shard_id",
            "sequence_number",
            "subsequence_number",
        ),
        sort=("timestamp", "desc"),
    ),
    LogQuery(
        name="in-doubt",
        question="Of which orders is it not known whether the customer was charged?",
        where=(_said("payment postponed"),),
        figures=(
            Figure("count", "tries"),
            Figure("first", "first_at", "timestamp"),
            Figure("last", "last_at", "timestamp"),
            Figure("max", "next_try_seconds", "delay_seconds"),
        ),
        by=("order_id", "error.message"),
        sort=("tries", "desc"),
    ),
    LogQuery(
        name="leases",
        question="Which shards change hands, and why?",
        where=(
            _said(
                "lease lost",
                "lease taken",
                "lease not renewed",
                "lease was deleted, its owner writes it again",
                "checkpoint refused, stopping work on the shard",
                "shard is given up",
            ),
        ),
        show=("timestamp", "application", "message", "shard_id", "former_owner", "reason", "error.message"),
        sort=("timestamp", "desc"),
    ),
    LogQuery(
        name="alerts",
        question="What does a person have to look at?",
        where=(
            _said(
                "ALERT: no reply came in time, and the request is made again",
                "ALERT: decided by shipping and shipped by hand",
                "ALERT: fewer than no units are available",
                "ALERT: refunded by the provider and by hand",
                "ALARM: an event id came again with another content; dropped",
                "records are lost: retention has passed the checkpoint",
                "the archive has a gap",
            ),
        ),
        show=("timestamp", "application", "message", "order_id", "sku", "event_type", "shard_id"),
        sort=("timestamp", "desc"),
    ),
    LogQuery(
        name="health",
        question="Which processes became unhealthy, why, and when did they recover?",
        where=(_said("unhealthy", "healthy again"),),
        show=("timestamp", "application", "message", "reason", "duration_seconds"),
        sort=("timestamp", "desc"),
    ),
    LogQuery(
        name="processes",
        question="Which processes started, drained or ended by an error?",
        where=(
            _said(
                "serving",
                "worker starts",
                "worker has drained",
                "worker ends",
                "process ends by an error",
                "process ends by a defect",
                "application failed",
            ),
        ),
        show=("timestamp", "application", "message", "worker_id", "error.type", "error.message"),
        sort=("timestamp", "desc"),
        expected=True,
    ),
)
"""All of them."""
