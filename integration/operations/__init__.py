"""What support looks at and does: status, lists, health; repair of events, resync, pausing systems; the audit of it."""

from integration.operations.health import Health
from integration.operations.status import StatusQueries

__all__ = ["Health", "StatusQueries"]
