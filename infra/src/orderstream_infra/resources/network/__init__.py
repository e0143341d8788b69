"""The network of each size, and what they have in common."""
