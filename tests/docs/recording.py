"""The README's picture: ``make recording`` runs the demo and draws what it prints, at 80 columns."""

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "demo.svg"
COLUMNS = 80


def draw(command: str, output: str) -> str:
    """Return the picture of a terminal, as SVG.

    Args:
        command: What was typed.
        output: What it printed.
    """
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(f"[bold green]$[/] {command}", highlight=False)
        console.print(Text.from_ansi(output.strip()))
        return console.export_svg(title="orderstream", unique_id="demo")


def main() -> None:
    """Run the demo, and draw it once its books balance."""
    command = ["orderstream", "demo", "--orders", "data/online-retail-2010-12.csv.gz", "--limit", "200"]
    ended = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:], "--no-progress"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(COLUMNS)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    PICTURE.write_text(draw("make demo", ended.stdout), encoding="utf-8")


if __name__ == "__main__":
    main()
