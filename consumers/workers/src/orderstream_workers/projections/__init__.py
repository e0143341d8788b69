"""Read models: what is folded from the events of others, and decides nothing."""
