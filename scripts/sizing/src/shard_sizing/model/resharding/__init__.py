"""From the shards there are to those there should be, call by call."""
