"""Orderstream's consumer workers: a KCL-style engine and the services of an order pipeline."""
