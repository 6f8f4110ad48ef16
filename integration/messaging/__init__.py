"""Senders to the work queue (Service Bus) and to the hub of settled events (Event Hubs), and the dead-letter queue."""

from integration.messaging.dead_letter_queue import DeadLetterQueue, DeadMessage
from integration.messaging.hub import EventPublisher
from integration.messaging.work_queue import WorkQueue

__all__ = ["DeadLetterQueue", "DeadMessage", "EventPublisher", "WorkQueue"]
