"""Everything that does not belong to production: the local environment, the demo, the simulators."""
