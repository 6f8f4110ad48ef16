"""The worker: one event from the queue, its effects done once, its end written down."""

from integration.worker.handler import Handler, Outcome
from integration.worker.pipeline import Worker
from integration.worker.registry import Handlers
from integration.worker.retry_later import RetryLater
from integration.worker.settled import SettledEvents
from integration.worker.verdicts import Condemned, Verdicts
from integration.worker.work import Work, digest

__all__ = [
    "Condemned",
    "Handler",
    "Handlers",
    "Outcome",
    "RetryLater",
    "SettledEvents",
    "Verdicts",
    "Work",
    "Worker",
    "digest",
]
