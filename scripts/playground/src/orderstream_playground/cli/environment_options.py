"""Options of the commands that start a local environment."""

import functools
from typing import Any, Final, get_args

import click

from orderstream_consumer.engines.config import Engine
from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_workers.cli.options import Command
from orderstream_workers.runtime.settings import Compression

_DEFAULTS: Final = EnvironmentOptions()


def environment_options(command: Command) -> Command:
    """What shapes a local environment; the command gets it as ``options``, an ``EnvironmentOptions``."""

    def chosen(*args: Any, **given: Any) -> Any:
        options = EnvironmentOptions(
            **{name: given.pop(name) for name in EnvironmentOptions.__struct_fields__}
        )
        return command(*args, options=options, **given)

    chosen_command: Command = functools.update_wrapper(chosen, command)
    for option in reversed(
        [
            click.option(
                "--shards",
                type=click.IntRange(1, 64),
                default=_DEFAULTS.shards,
                show_default=True,
                help="Shards of the stream.",
            ),
            click.option(
                "--payments-per-second",
                type=click.IntRange(1),
                default=_DEFAULTS.payments_per_second,
                show_default=True,
                help="The payment provider's limit, and our limiter's.",
            ),
            click.option(
                "--payments-at-once",
                type=click.IntRange(0),
                default=_DEFAULTS.payments_at_once,
                show_default=True,
                help="Requests that the provider allows at the same time; 0 sets no bound.",
            ),
            click.option(
                "--decline-percent",
                type=click.IntRange(0, 100),
                default=_DEFAULTS.decline_percent,
                show_default=True,
                help="Share of the orders whose charge the provider declines.",
            ),
            click.option(
                "--seed",
                type=int,
                default=_DEFAULTS.seed,
                show_default=True,
                help="Decides which orders those are.",
            ),
            click.option(
                "--engine",
                type=click.Choice(get_args(Engine)),
                default=_DEFAULTS.engine,
                show_default=True,
                envvar="ORDERSTREAM_ENGINE",
                show_envvar=True,
                help="What the stream consumers run on: our own engine, or Amazon's KCL.",
            ),
            click.option(
                "--compression",
                type=click.Choice(get_args(Compression)),
                default=_DEFAULTS.compression,
                show_default=True,
                envvar="ORDERSTREAM_COMPRESSION",
                show_envvar=True,
                help="What the data of messages is compressed with.",
            ),
            click.option(
                "--applications-folder",
                default=_DEFAULTS.applications_folder,
                envvar="ORDERSTREAM_APPLICATIONS_FOLDER",
                show_envvar=True,
                help="Folder with more stream applications, a Python file each.",
            ),
            click.option(
                "--from-template",
                metavar="FILE",
                default=_DEFAULTS.from_template,
                help="Provision from this synthesized template, orderstream-data.template.json, and not from "
                "the declaration. The shards are the template's.",
            ),
            click.option(
                "--otlp",
                metavar="URL",
                default=_DEFAULTS.otlp,
                help="Base URL of a collector that gets every span, too, such as http://127.0.0.1:4318.",
            ),
            click.option(
                "--metrics-seconds",
                type=click.FloatRange(1, 60),
                default=_DEFAULTS.metrics_seconds,
                show_default=True,
                help="How often metrics are written. Alarms' periods, and the ages that they compare, shrink "
                "alike.",
            ),
            click.option(
                "--base-port",
                type=click.IntRange(1024, 65_000),
                default=_DEFAULTS.base_port,
                show_default=True,
                envvar="ORDERSTREAM_BASE_PORT",
                show_envvar=True,
                help="First of the loopback ports that are used.",
            ),
        ]
    ):
        chosen_command = option(chosen_command)
    return chosen_command
