"""The commands: thin shells around the model."""
