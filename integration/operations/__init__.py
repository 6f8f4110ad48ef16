"""What support looks at: the status of an event, the health of the app."""

from integration.operations.health import Health
from integration.operations.status import StatusQueries

__all__ = ["Health", "StatusQueries"]
