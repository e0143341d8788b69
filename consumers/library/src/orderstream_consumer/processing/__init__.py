"""The contract between an engine and what processes its records, whatever the engine."""
