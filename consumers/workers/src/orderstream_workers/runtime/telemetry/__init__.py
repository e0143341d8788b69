"""What a process reports of itself to the outside: its spans and its metrics."""
