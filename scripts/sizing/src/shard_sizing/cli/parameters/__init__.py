"""What people give the commands: options, numbers, times."""
