"""Events for tests to work with."""

import uuid
from datetime import UTC, datetime

from integration.events import IntegrationEvent


def event(*, minute: str = "202611201905", correlation_id: str | None = None) -> IntegrationEvent:
    """An event that no other test has."""
    return IntegrationEvent(
        event_id=f"{minute}-{uuid.uuid4().hex}",
        table="opportunity",
        message="Update",
        record_id=str(uuid.uuid4()),
        organisation="org",
        correlation_id=correlation_id or str(uuid.uuid4()),
        operation_time=datetime(2026, 11, 20, 19, 5, tzinfo=UTC),
        accepted_time=datetime(2026, 11, 20, 19, 5, 1, tzinfo=UTC),
        user_id=None,
        initiating_user_id=None,
    )
