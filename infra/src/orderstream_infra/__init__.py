"""The order pipeline on AWS, from its own declaration (``orderstream_workers.runtime.topology``)."""
