"""Stacks: they only compose."""
