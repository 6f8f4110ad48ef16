"""What people ask for over HTTP: JSON bodies and query parameters, checked."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from integration.errors import Fault, Rejected
from integration.events.fields import pointer
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


class EditAsked(Asked):
    """New values of what the event carries, in the form of envelopes."""

    values: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    request: str = Field(default="", max_length=100)


class ResyncAsked(Asked):
    """Records of one table."""

    table: str
    record_ids: list[str]


Body = TypeVar("Body", bound=Asked)


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


def read_filter(params: Mapping[str, str]) -> Filter:
    """The list of problems that the query parameters ask for."""
    return Filter(
        state=params.get("state") or None,
        reason=params.get("reason") or None,
        system=params.get("system") or None,
        table=params.get("table") or None,
    )
