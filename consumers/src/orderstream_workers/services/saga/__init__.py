"""The coordinator of orders: asks the services for each step in turn, and undoes what it must."""
