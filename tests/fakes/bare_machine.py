"""A machine that knows nothing of AWS: no settings, no profile, no role."""

import os
from pathlib import Path

import pytest


def forget_aws(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Take away all that boto3 could find.

    Args:
        monkeypatch: Puts it back after the test.
        home: An empty folder, in place of the user's.
    """
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
