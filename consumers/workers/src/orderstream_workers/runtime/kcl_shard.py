"""``python -m orderstream_workers.runtime.kcl_shard APPLICATION``: one shard of an application, under KCL.

MultiLangDaemon starts it, with the environment of the worker that started the daemon.
"""

import sys

from orderstream_consumer.engines.kcl.standard_output import take_protocol


def main() -> None:
    """Process one shard until the daemon closes our input."""
    # Before any import that could print: standard output is the daemon's.
    protocol = take_protocol()

    from orderstream_consumer.engines.kcl import run_shard_process  # noqa: PLC0415
    from orderstream_workers.runtime.bootstrap import build_application  # noqa: PLC0415
    from orderstream_workers.runtime.logs import configure_logging  # noqa: PLC0415
    from orderstream_workers.runtime.resources import Resources  # noqa: PLC0415
    from orderstream_workers.runtime.settings import Settings  # noqa: PLC0415

    name = sys.argv[1]
    settings = Settings.from_environment()
    configure_logging(settings.log_level, name)
    with Resources(settings, name) as resources:
        application = build_application(name, resources)
        run_shard_process(
            application.processors,
            protocol=protocol,
            errors=sys.stderr,
            counters=application.counters,
            failure=application.failure,
            meter=resources.meter,
        )


if __name__ == "__main__":
    main()
