"""A KCL-style consumer engine: leases, checkpoints, shard lifecycle, lanes. It knows no orders.

Import what you need from its rooms: ``engine.worker`` runs an application, ``engine.processor`` and
``engine.record`` say what a processor is and gets, ``engine.leases`` holds the lease tables,
``engine.config`` the settings, ``engine.delivery`` the lanes.
"""
