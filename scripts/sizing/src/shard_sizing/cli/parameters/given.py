"""Options that were given and would make no difference: nobody is left to believe that they did."""

import click
from click.core import ParameterSource


def given(name: str) -> bool:
    """Return whether a parameter of the present command was given, and is not its default."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def refuse_unused(why: str, *names: str) -> None:
    """Refuse parameters of the present command that it would ignore.

    Args:
        why: The reason, as the end of a sentence that begins with the option.
        names: The parameters.

    Raises:
        click.UsageError: The message names the first of them that was given, and the reason.
    """
    for parameter in click.get_current_context().command.params:
        if parameter.name in names and given(parameter.name):
            raise click.UsageError(f"{parameter.opts[0]} {why}")
