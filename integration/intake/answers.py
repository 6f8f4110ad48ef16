"""What the endpoints of the intake answer over HTTP."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from integration.errors import Rejected, Unavailable
from integration.intake.taking_in import Accepted, IntakeRequest
from integration.problems import rejected, unavailable
from integration.public_address import POLL_SECONDS, PublicAddress
from integration.telemetry import get_logger

_log = get_logger(__name__)
_CAMEL = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class AcceptedEvent(BaseModel):
    """That an event is durably queued, or that it is a write of the app's own, which ends here."""

    model_config = _CAMEL

    event_id: str = Field(description="The event's id; the same for every delivery of it.")
    correlation_id: str = Field(description="The correlation id of the change that it is about.")
    status: str = Field(description="accepted, or own-write.", json_schema_extra={"enum": ["accepted", "own-write"]})
    unread: tuple[str, ...] | None = Field(
        default=None, description="What of the body could not be read; the app reads the row instead."
    )


class ListedEvent(BaseModel):
    """One of several events of a request."""

    model_config = _CAMEL

    event_id: str = Field(description="The event's id.")
    status: str = Field(description="accepted, or own-write.", json_schema_extra={"enum": ["accepted", "own-write"]})
    location: str | None = Field(default=None, description="Where to wait for its end.")


class ListedEvents(BaseModel):
    """What became of the events of a request."""

    events: list[ListedEvent]


Answer = Callable[[IntakeRequest], Awaitable[func.HttpResponse]]


def accepting(take_in: Callable[[IntakeRequest], Awaitable[list[Accepted]]], address: PublicAddress) -> Answer:
    """The answer to a request that brings events."""

    async def answer(request: IntakeRequest) -> func.HttpResponse:
        accepted = await take_in(request)
        return _all_accepted(
            accepted, [address.of_outcome(it.event_id, request.url, request.headers) for it in accepted]
        )

    return answer


async def answered(req: func.HttpRequest, answer: Answer) -> func.HttpResponse:
    """Never answer 500: Dataverse does not send again after one, and other callers learn nothing from it."""
    try:
        headers = {name.lower(): value for name, value in req.headers.items()}
        return await answer(IntakeRequest(headers, req.params, req.get_body(), req.url))
    except Rejected as error:
        return rejected(error)
    except Unavailable as error:
        return unavailable(error)
    except Exception as error:  # noqa: BLE001 -- a defect of ours is no answer for a caller
        _log.error("intake-failed", error=error)
        return unavailable(Unavailable("The event could not be taken in because of a defect; send it again later."))


def events_accepted(accepted: Sequence[Accepted], *, status: int = 202) -> func.HttpResponse:
    """For senders that read no more of an answer than its status."""
    return _listed([ListedEvent(event_id=it.event_id, status=it.status) for it in accepted], status)


def _all_accepted(accepted: Sequence[Accepted], addresses: Sequence[str]) -> func.HttpResponse:
    """For one event the same as elsewhere, for several what each is called and where to wait for its end."""
    if len(accepted) == 1:
        return _accepted(accepted[0], addresses[0])
    return _listed(
        [
            ListedEvent(event_id=it.event_id, status=it.status, location=address if it.status == "accepted" else None)
            for it, address in zip(accepted, addresses, strict=True)
        ],
        202,
    )


def _accepted(accepted: Accepted, outcome_address: str) -> func.HttpResponse:
    """A 202 as Logic Apps and Power Automate expect it: they poll the Location until it answers something else."""
    body = AcceptedEvent(
        event_id=accepted.event_id,
        correlation_id=accepted.correlation_id,
        status=accepted.status,
        unread=accepted.unread or None,
    )
    headers = {"x-correlation-id": accepted.correlation_id}
    if accepted.status == "accepted":
        headers |= {"Location": outcome_address, "Retry-After": str(POLL_SECONDS)}
    return _json(body, 202, headers)


def _listed(events: list[ListedEvent], status: int) -> func.HttpResponse:
    return _json(ListedEvents(events=events), status, {})


def _json(body: BaseModel, status: int, headers: Mapping[str, str]) -> func.HttpResponse:
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    return func.HttpResponse(text, status_code=status, mimetype="application/json", headers=headers)
