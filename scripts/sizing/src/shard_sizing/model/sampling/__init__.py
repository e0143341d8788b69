"""From events to a workload, in one pass and in bounded memory."""
