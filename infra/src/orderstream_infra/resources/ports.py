"""The ports that anything listens on."""

from typing import Final

PORT: Final = 8080
"""Where a process in its container takes requests, or reports its health."""

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - inside its own container
"""The address that it listens on."""

POSTGRESQL: Final = 5433
"""The database's port: not the default, which scanners try first."""
