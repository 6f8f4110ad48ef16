"""What is sent: the work queue (Service Bus) and the hub of settled events (Event Hubs)."""

from integration.messaging.hub import EventPublisher
from integration.messaging.work_queue import WorkQueue

__all__ = ["EventPublisher", "WorkQueue"]
