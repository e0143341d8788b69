"""The local environment's collector of spans: it keeps them, returns an order's, and passes them on."""
