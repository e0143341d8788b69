"""Validation of requests, by botocore's service model and beyond it."""
