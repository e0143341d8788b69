"""The steps from one form of the read model's tables to the next, in Alembic's layout.

A change of ``tables`` needs a step here: ``versions/v0002_....py`` with the next number. A test migrates an
empty database and names what differs from ``tables``.

A step may add, and fill in. What it takes away has to be unused since the release before: while a deployment
is rolled out or back, the former version works on the new tables.
"""
