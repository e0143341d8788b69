"""What a stream costs in each mode."""
