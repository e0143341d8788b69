"""How the command ends when something is not done."""

from pathlib import Path

import pytest

from orderstream_workers.cli import main as command
from orderstream_workers.projections.order_status import ReadModelWriter, open_engine


def test_whatever_is_not_done_is_one_sentence_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not there is said as an outage is: after the command's name, status 1, safe for a terminal."""
    url = f"sqlite:///{tmp_path / 'read-model.sqlite'}"
    engine = open_engine(url)
    ReadModelWriter(engine).ensure_schema()
    engine.dispose()
    monkeypatch.setenv("ORDERSTREAM_READ_MODEL_URL", url)
    for words, sentence in (
        (["show", "o-1"], "order status knows no order o-1; it may not have seen it yet"),
        (
            ["list", "--after", "o\x1b[31m"],
            r"no order o\x1b[31m has been placed, so no page begins behind it; start again",
        ),
    ):
        monkeypatch.setattr("sys.argv", ["orderstream", "order", *words, "--aws"])
        with pytest.raises(SystemExit) as ended:
            command.main()
        assert ended.value.code == 1
        *_, last = capsys.readouterr().err.splitlines()
        assert last == f"orderstream: {sentence}"
