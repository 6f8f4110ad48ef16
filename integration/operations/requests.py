"""What people ask for over HTTP: JSON bodies and query parameters, checked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from integration.errors import Fault, Rejected
from integration.events.fields import pointer, record_id
from integration.ledger import State
from integration.ledger.problems import PROBLEM_STATES
from integration.operations.bulk.model import Action
from integration.operations.bulk.planner import DEFAULT_CANARY, Wanted
from integration.operations.search import Filter

_Text = Annotated[str, Field(min_length=1, max_length=500)]


class Asked(BaseModel):
    """Why something is done, in a sentence."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    why: _Text


class RetryAsked(Asked):
    """`force`: what is remembered of effects does not count. `request` is a name with which it can be repeated."""

    force: bool = False
    request: str = Field(default="", max_length=100)


class PostponeAsked(Asked):
    """`until` is ISO 8601 with an offset, such as 2026-11-20T18:00:00Z."""

    until: Annotated[AwareDatetime, Field(strict=False)]


class DetailEnded(Asked):
    """Of which events debug detail is no longer wanted."""

    correlation_id: str = Field(min_length=1, max_length=200)


class DetailAsked(DetailEnded):
    """Of which events debug detail is wanted, and for how long."""

    minutes: int = Field(default=60, ge=1, le=24 * 60)


class EditAsked(Asked):
    """New values of what the event carries, in the form of envelopes; `check`: only say what would change."""

    values: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    request: str = Field(default="", max_length=100)
    check: bool = False


class NoteAsked(BaseModel):
    """A note about a cause and who takes care of it; what is empty is removed."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    reason: str = Field(max_length=200)
    system: str = Field(default="", max_length=100)
    table: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=500)
    assignee: str = Field(default="", max_length=100)


class RowsAsked(Asked):
    """Rows that a sink has set aside: all of it, those of a reason, or the one of this id."""

    reason: str = Field(default="", max_length=100)
    row: str = Field(default="", max_length=100)


class ResyncAsked(Asked):
    """Records of one table."""

    table: str
    record_ids: list[str]


class Selection(BaseModel):
    """Which problems, as the list of problems is narrowed; times are of operations, `from` and `to` with an offset."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    state: str | None = None
    reason: str | None = None
    system: str | None = None
    table: str | None = None
    record_id: str | None = None
    start: Annotated[AwareDatetime, Field(strict=False)] | None = Field(default=None, alias="from")
    end: Annotated[AwareDatetime, Field(strict=False)] | None = Field(default=None, alias="to")


class BulkAsked(Asked):
    """What is to be done to the problems that are selected."""

    action: Literal["retry", "discard"]
    selection: Selection = Selection()
    canary: int | None = None
    per_minute: int = 60
    force: bool = False

    def wanted(self) -> Wanted:
        """The same for the planner; by default the first five retries are the canary."""
        selected = Filter(
            state=self.selection.state,
            reason=self.selection.reason,
            system=self.selection.system,
            table=self.selection.table,
            record_id=self.selection.record_id,
            start=self.selection.start,
            end=self.selection.end,
        )
        action = Action(self.action)
        canary = self.canary if self.canary is not None else DEFAULT_CANARY[action]
        return Wanted(action, selected, canary=canary, per_minute=self.per_minute, force=self.force)


Body = TypeVar("Body", bound=BaseModel)


def read_body(kind: type[Body], body: bytes) -> Body:
    """The body as `kind`; `Rejected` (400) names what is missing or wrong, without quoting it."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        faults = tuple(
            Fault(pointer(*it["loc"]), it["msg"]) for it in error.errors(include_url=False, include_input=False)[:20]
        )
        detail = 'Send a JSON object such as {"why": "the ERP was mended"}.'
        raise Rejected(400, "The request cannot be read", detail, faults=faults) from None


NARROWED: Final = ("state", "reason", "system", "table", "record_id", "from", "to")
"""The query parameters that narrow a list of problems; a list of events can also be asked for by correlation id."""


def read_filter(params: Mapping[str, str]) -> Filter:
    """The list of events or problems that the query parameters ask for; `Rejected` (400) for times that are none."""
    return Filter(
        state=params.get("state") or None,
        reason=params.get("reason") or None,
        system=params.get("system") or None,
        table=params.get("table") or None,
        record_id=record_id(params.get("record_id") or "") or None,
        correlation_id=params.get("correlation_id") or None,
        number=(params.get("number") or "").strip()[:100] or None,
        start=read_time(params, "from"),
        end=read_time(params, "to"),
    )


def read_problem_state(params: Mapping[str, str]) -> str:
    """The state of problems that is asked for, dead-lettered by default; `Rejected` (400) for any other word."""
    state = params.get("state") or State.DEAD_LETTERED.value
    if state not in PROBLEM_STATES:
        fault = Fault("state", f"is none of {', '.join(PROBLEM_STATES)}")
        raise Rejected(400, "This list cannot be given", "Correct what is named.", faults=(fault,))
    return state


def read_time(params: Mapping[str, str], name: str) -> datetime | None:
    """The time of this query parameter, None without it; `Rejected` (400) for what is none."""
    text = params.get(name)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        fault = Fault(name, "is not a time with an offset, such as 2026-11-20T18:00:00Z")
        raise Rejected(400, "This list cannot be given", "Correct what is named.", faults=(fault,))
    return found
