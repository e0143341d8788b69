"""The producer's core: machines without threads, clocks or I/O."""
