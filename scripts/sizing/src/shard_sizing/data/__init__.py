"""Dated data files: limits and prices, each figure with its source."""
