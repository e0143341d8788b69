"""Observability of a program: metrics and trace context."""
