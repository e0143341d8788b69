"""Stock: reservations of all of an order's lines or none, which balance to the unit."""
