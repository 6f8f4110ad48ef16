"""The worker: one event from the queue, its effects done once, its end written down."""

from integration.worker.copies import Copies
from integration.worker.executor import DeadLettered, Executor
from integration.worker.handler import EventHandler, Handler, InboundHandler, Outcome
from integration.worker.holds import Holds
from integration.worker.pace import Pace
from integration.worker.pipeline import Worker
from integration.worker.registry import Handlers
from integration.worker.reports import Reports
from integration.worker.work import Work

__all__ = [
    "Copies",
    "DeadLettered",
    "EventHandler",
    "Executor",
    "Handler",
    "Handlers",
    "Holds",
    "InboundHandler",
    "Outcome",
    "Pace",
    "Reports",
    "Work",
    "Worker",
]
