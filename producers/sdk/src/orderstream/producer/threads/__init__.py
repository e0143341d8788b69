"""The threads around the producer's core, and the buffer between them and callers."""
