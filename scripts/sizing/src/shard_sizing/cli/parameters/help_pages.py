"""Help pages: a command's own options come first; shared options follow under headings."""

from typing import Any, Final

import click

_HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "Workload": (
        "rate",
        "peak",
        "record_bytes",
        "bytes_cv",
        "zipf",
        "keys",
        "burst_cv",
        "growth",
        "growth_by",
        "at",
        "compress",
        "max_record_kib",
    ),
    "Producers that aggregate": ("linger", "aggregate", "producers", "latency"),
    "Salted keys": ("salt", "salt_keys", "salt_heaviest"),
    "Readers": ("catch_up", "consumers", "efo", "poll_seconds"),
    "Answer": (
        "as_json",
        "no_progress",
        "seed",
        "region",
        "limits_file",
        "prices_file",
        "plot",
        "report",
        "help",
    ),
}
"""Options by heading; a command that lacks the first of a heading has those of it, if any, among its own."""


class Command(click.Command):
    """A command whose help has headings, and ends with examples.

    Args:
        examples: Command lines, without the program's name.
    """

    def __init__(self, *arguments: Any, examples: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        options = {
            str(param.name): record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)) is not None
        }
        shared = {
            heading: [name for name in options if name in names]
            for heading, names in _HEADINGS.items()
            if names[0] in options
        }
        elsewhere = {name for names in shared.values() for name in names}
        own = [name for name in options if name not in elsewhere]
        for heading, names in {"Options": own, **shared}.items():
            if names:
                with formatter.section(heading):
                    formatter.write_dl([options[name] for name in names])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}shard-sizing {self.name} {example}\n")
