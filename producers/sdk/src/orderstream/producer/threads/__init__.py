"""The threads around the producer's core, and what callers and they hand each other."""
