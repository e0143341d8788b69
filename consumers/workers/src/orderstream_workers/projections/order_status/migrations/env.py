"""What Alembic runs to apply the steps, on the connection that ``schema`` hands it."""

from alembic import context

from orderstream_workers.projections.order_status.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
