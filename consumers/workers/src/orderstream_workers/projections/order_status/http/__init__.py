"""Order status over HTTP: one order, at once or at its end, and its messages as they come."""
