"""Plays real orders through the whole pipeline and reconciles the books."""
