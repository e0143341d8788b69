"""What the logs of a local environment say."""
