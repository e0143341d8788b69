"""A program on Amazon's KCL whose handler another module has; ``python kcl_program.py STREAM``."""

import logging
import sys

from kcl_handler import handle

from orderstream_consumer import Consumer, ConsumerConfig

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    config = ConsumerConfig(engine="kcl", retries=0, idle_between_reads=0.2)
    Consumer("kclprinter", stream=sys.argv[1], handler=handle, config=config).run()
