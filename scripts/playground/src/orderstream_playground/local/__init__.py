"""A whole environment on one machine: emulators, the Payments API, the orders API and all workers."""
