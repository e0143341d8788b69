"""Commands that join ``orderstream`` where this distribution is installed."""
