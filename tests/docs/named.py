"""What the documents name of the tests."""

import re


def named_tests(text: str) -> list[str]:
    """The paths of tests that a text names, short forms such as ``tests/x/{a,b}`` spelt out.

    A file by itself (``test_b.py``) is one beside the file that was named last.
    """
    found: list[str] = []
    folder = ""
    for path in re.findall(r"`(tests/[^`]+|test_[a-z_]+\.py)`", text):
        head, brace, rest = path.partition("{")
        choices, _, tail = rest.partition("}")
        for choice in choices.split(",") if brace else [""]:
            named = head + choice + tail
            if named.startswith("tests/"):
                folder = named.rpartition("/")[0] if named.endswith(".py") else named
            else:
                named = f"{folder}/{named}"
            found.append(named)
    return found
