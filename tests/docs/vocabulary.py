"""The house vocabulary: one word for each thing, the field's where it has one. ``make lint`` runs it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
HISTORY = (
    "CHANGELOG.md",
    "docs/lessons.md",
    "docs/adr/",
    "tests/docs/vocabulary.py",
    "tests/docs/test_vocabulary.py",
)
"""Where former words may stand: they tell what was, or are this check."""


class Word(NamedTuple):
    """A word that the project does not use.

    Attributes:
        banned: A regular expression that finds it.
        wanted: The word to write instead.
        allowed: Prefixes of paths, from the repository's root, where it may stand.
        files: How the paths end that the word is banned from; empty for all.
    """

    banned: str
    wanted: str
    allowed: tuple[str, ...] = ()
    files: str = ""


_LOOSER = ("tests/", "infra/tests/")
"""Comments of tests may be looser than what users read."""

WORDS = (
    # X-Ray's SDK calls what sends its segments an emitter.
    Word(r"\b_?[A-Za-z]*[Ee]mitters?\b", "publisher", ("tests/unit/tracing/",)),
    Word(r"[Ff]oreign[_ -][Aa]ggregates?|\bForeignAggregates\b", "wrong-shard aggregate"),
    Word(r"\bOpenedRecords\b|\bopen_records\b", "DeaggregatedRecords, deaggregate_records"),
    Word(r"aggregates? (is|are|were|cannot be|could not be) opened", "deaggregated"),
    Word(r"\bLeaseKeepers?\b", "LeaseCoordinator"),
    Word(r"\bShardHosts?\b", "ShardConsumer, over its ShardLifecycle"),
    Word(r"\bShardSynchroni[sz]ers?\b", "ShardSyncer"),
    Word(r"\bEngineMarks?\b|\bmark_of\b|\b[Ee]ngine'?s?[ _]marks?\b", "EngineOwnership, ownership"),
    Word(r"\b(HandledMark|PidMark|make_mark)\b", "UnhandledRecords, PidProbe, make_probe"),
    Word(r"own mark of a\b|\boutput\.mark\b", "correlation id"),
    Word(r"\bthreads\.buffer import Inbox\b|\bself\._?(shell\.)?inbox\b", "buffer", ("consumers/",)),
    # The producer completes records; to settle is a word of payments.
    Word(
        r"\b(Settlement|Settle|SettledDelivery|UNSETTLED)\b",
        "Completion, Complete, completed, outstanding",
        ("consumers/workers/src/orderstream_workers/services/payments/",),
    ),
    Word(
        r"\b(un)?settle[sd]? (record|deliver)|\bsettling_threads?\b|\bwhen_settled\b",
        "completed, outstanding",
    ),
    # A service responds to a call; a command's owner replies to its sender; people answer questions.
    Word(
        r"\b[A-Z]\w*Answer\b|\b(lose|lost|json)_answers?\b|\bself\._?answers?\b|\bapi\.answers\b",
        "Response or Reply",
    ),
    Word(
        r"\b([Aa]n|[Tt]he|[Ii]ts|[Nn]o|[Ee]ach|[Ee]very|late|lost|stored|same) answers?\b",
        "response (to a call), reply (to a command)",
        (
            "scripts/sizing/",
            "tests/unit/sizing/",
            "tests/differential/sizing/",
            "tests/unit/structure/",
            "docs/sizing.md",
        ),
    ),
    Word(r"\b(does|do|did|has|have) not answer(ed)?\b", "respond (to a call), reply (to a command)", _LOOSER),
    Word(
        r"class (Answer|Batch|Outcome|Request)\b|class Order\(Enum\)",
        "a name with its qualifier",
        ("tests/", "scripts/playground/benchmarks/"),
    ),
    Word(r"\bPlaceTakenError\b", "PositionTakenError"),
    # An order is placed. A record has a position, an element an index, a file a path or a location.
    Word(
        r"\b(for|lambda) places?\b|\bplaces?( = |: (str|int|tuple|Floats)\b)|\b_?place_(of|in)\b|_PLACES?\b",
        "position, index, number, path",
    ),
    Word(r"(record|received|notice|entry)\.place\b", "position_fields(), record_id"),
    Word(r"\bKeySetPlaceError\b", "KeySetLocationError"),
    Word(r"\bplaces[ _](itself|(records|them)[ _]itself)", "distributes (AWS: record distribution)"),
    Word(r"\bsettled_(at|since|starts)\b|\b(stock|is)_settled\b|orders? (is|are|has|have) settled", "ended"),
    Word(r"\bapi(\.| import )[Oo]wnership\b|[ (]Ownership\(", "OrderAccess (an engine has the ownership)"),
    Word(r"\bfor ever\b", "forever"),
    Word(r"\bat a stroke\b", "at once"),
    # Documents are plain present-day English.
    Word(r"\b[Mm]end(ed|s)?\b", "fix, repair", files=".md"),
    Word(r"\b([Cc]omes? to its end|of late|gone by)\b", "ends, recently, past", files=".md"),
    Word(r"\bhears? of\b", "is notified of", files=".md"),
    # Shipped code and documents name what acts.
    Word(r"\b[Ww]hoever\b", "the one who does it: a worker, a caller, an operator", _LOOSER),
    Word(r"\b([Ss]omebody|[Ee]verybody)\b", "a person, a worker, a caller, an operator", _LOOSER),
    Word(r"\banew\b", "again, recreated", _LOOSER),
    Word(r"\bstands? still\b|\bstood still\b", "is stuck, is suspended", _LOOSER),
    Word(r"\b(is|are|was|were) told to (stop|end)\b", "is stopped", _LOOSER),
    Word(r"\bdealt with\b", "handled, processed", _LOOSER),
    Word(r"\bpatience\b", "timeout", _LOOSER),
    Word(
        r"\b(class|import|from \S+ import).*\b(Told|Ear|Mouth)\b",
        "a name for its content: ShardReport",
        _LOOSER,
    ),
)


def violations(path: str, text: str) -> Iterator[str]:
    """Each banned word in a file's text, as ``path:line: write ... instead of ...``."""
    if path.startswith(HISTORY):
        return
    for word in WORDS:
        if path.startswith(word.allowed or ("\0",)) or not path.endswith(word.files):
            continue
        # The whole text at once: line by line takes half as long again.
        for found in re.finditer(word.banned, text):
            number = text.count("\n", 0, found.start()) + 1
            yield f"{path}:{number}: write {word.wanted!r} instead of {found[0]!r}"


def checked() -> list[str]:
    """The Python and Markdown files of the repository, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


def main() -> None:
    """Print every violation; the exit status is 1 if there is one."""
    found = [
        line for path in checked() for line in violations(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
