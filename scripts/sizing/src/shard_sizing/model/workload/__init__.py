"""A workload: how much and when, how bursty, how large, and on which keys."""
