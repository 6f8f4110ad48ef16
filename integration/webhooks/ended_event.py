"""What a subscriber is told: that an event has ended, and how. It has no column values and no answers of systems."""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from integration.ledger import State


class EndedEvent(BaseModel):
    """One event that has ended. A repetition has the same `id`; the order of notifications means nothing."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str = Field(description="The id of the notification, the same at every delivery; also the header webhook-id.")
    event_id: str = Field(description="The id of the event.")
    correlation_id: str = Field(description="The correlation id of the change that it is about.")
    table: str = Field(description="The table of the row, or the system and kind of the record.")
    record_id: str | None = Field(description="The id of the row or record.")
    message: str = Field(description="What happened to it.")
    outcome: Literal["pending", "done", "failed"] = Field(
        description="Whether everything is done (done), or a person is needed (failed)."
    )
    state: State = Field(description="The state of the event in the ledger.")
    reason: str | None = Field(description="Why it failed; a word of the list of reasons.")
    attempts: int = Field(description="How often the app has tried to carry it out.")
    operation_time: AwareDatetime = Field(description="When the row was changed.")
    settled_time: AwareDatetime = Field(description="When the event ended.")
    replay_of: str | None = Field(description="The event of which it is a repetition.")


def of_settled(body: bytes) -> EndedEvent | None:
    """The notification about a document of the hub of settled events; None for what is none."""
    try:
        document: Any = json.loads(body)
        data = document["data"]
        state = State(data["state"])
        return EndedEvent.model_validate(
            data | {"id": f"msg_{data['eventId']}_{state}", "outcome": state.outcome, "state": state}
        )
    except (ValueError, TypeError, LookupError, RecursionError, ValidationError):
        return None


def is_after(notification: EndedEvent, moment: datetime) -> bool:
    """Whether the event ended at that time or later."""
    return notification.settled_time >= moment
