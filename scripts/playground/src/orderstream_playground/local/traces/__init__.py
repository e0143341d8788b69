"""The local environment's collector of spans: it keeps them, tells those of an order, and passes them on."""
