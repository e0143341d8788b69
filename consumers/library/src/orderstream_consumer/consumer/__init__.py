"""The public face: a handler, a stream's name, and an application that reads it.

Applications import it from ``orderstream_consumer``.
"""
