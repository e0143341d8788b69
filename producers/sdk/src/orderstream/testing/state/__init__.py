"""The fake's state: streams, their shards and lineage, positions, and the limits of each."""
