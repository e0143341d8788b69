"""``python -m orderstream_playground.local.traces``: collect spans until a signal stops it."""

import argparse
from contextlib import ExitStack
from pathlib import Path

import httpx

from orderstream_playground.local.serving import serve
from orderstream_playground.local.traces.app import create_app
from orderstream_playground.local.traces.passing_on import PassingOn
from orderstream_playground.local.traces.store import SpanStore
from orderstream_workers.runtime.logs import configure_logging


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="traces", description="A collector of spans for one machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True, help="SQLite file; made if it is not there")
    parser.add_argument("--otlp", default="", help="base URL of another collector, which gets the spans too")
    options = parser.parse_args()
    configure_logging("INFO", "traces")
    with ExitStack() as stack:
        store = stack.enter_context(SpanStore(options.file))
        app = create_app(store)
        if options.otlp:
            http = stack.enter_context(httpx.Client())
            app = create_app(store, stack.enter_context(PassingOn(options.otlp, http)).take)
        serve(app, options.host, options.port)


if __name__ == "__main__":
    main()
