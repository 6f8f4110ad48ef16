"""The worker: one event from the queue, its effects done once, its end written down."""

from integration.worker.handlers.handler import Handler, Outcome
from integration.worker.pipeline import Condemned, Worker
from integration.worker.registry import Handlers
from integration.worker.retry_later import RetryLater
from integration.worker.work import Work, digest

__all__ = ["Condemned", "Handler", "Handlers", "Outcome", "RetryLater", "Work", "Worker", "digest"]
