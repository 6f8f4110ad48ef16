"""The doors: HTTP in, durably queued out."""

from integration.webhooks.doors import Accepted, DoorRequest, Doors

__all__ = ["Accepted", "DoorRequest", "Doors"]
