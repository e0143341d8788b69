"""The ``orderstream`` command."""
