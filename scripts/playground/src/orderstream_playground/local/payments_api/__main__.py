"""``python -m orderstream_playground.local.payments_api``: serve the provider until a signal stops it."""

import argparse
from contextlib import closing
from pathlib import Path

from orderstream_playground.local.payments_api.app import create_app
from orderstream_playground.local.payments_api.ledger import Ledger
from orderstream_playground.local.serving import serve
from orderstream_workers.runtime.logs import configure_logging


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="payments_api", description="A payment provider for one machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True, help="SQLite file; made if it is not there")
    parser.add_argument("--rate", type=float, default=5.0, help="requests within any second, at least 1")
    parser.add_argument("--at-once", type=int, default=0, help="requests at the same time; 0: no bound")
    parser.add_argument("--decline-percent", type=int, default=0, help="0 to 100")
    parser.add_argument("--seed", type=int, default=0, help="chooses which orders are declined")
    options = parser.parse_args()
    if options.rate < 1:
        parser.error("--rate must be at least 1")
    if not 0 <= options.decline_percent <= 100:
        parser.error("--decline-percent must be between 0 and 100")
    configure_logging("INFO", "payments-api")
    with closing(Ledger(options.ledger)) as ledger:
        app = create_app(
            ledger,
            rate=int(options.rate),
            at_once=options.at_once,
            decline_percent=options.decline_percent,
            seed=options.seed,
        )
        serve(app, options.host, options.port)


if __name__ == "__main__":
    main()
