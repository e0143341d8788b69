"""Runs an application: on the engine that it is configured for, with its health beside it."""

from orderstream_consumer.running.application_run import ApplicationRun, Background
from orderstream_consumer.running.engine_worker import EngineWorker, ShardProcesses, engine_worker

__all__ = ["ApplicationRun", "Background", "EngineWorker", "ShardProcesses", "engine_worker"]
