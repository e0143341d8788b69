"""Ready-made metrics of a producer: CloudWatch, OpenTelemetry (extra ``otel``), Prometheus (``prometheus``).

Each is a ``ProducerMetrics`` to hand to a Producer. The libraries behind the extras are imported by their own
modules only: ``orderstream.observability.metrics.cloudwatch``, ``.otel`` and ``.prometheus``.
"""
