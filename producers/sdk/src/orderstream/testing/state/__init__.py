"""What the fake keeps: streams, their shards and lineage, positions, and the limits of each."""
