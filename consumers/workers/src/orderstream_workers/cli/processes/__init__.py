"""Commands that run until they are stopped: one process each, as images and hosts start them."""
