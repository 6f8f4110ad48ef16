"""What an event carries besides saying what has happened: in its message, or apart from it, under a claim."""

import hashlib
import json
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic.alias_generators import to_camel

from integration.errors import Permanent
from integration.events.model import Claim, IntegrationEvent
from integration.events.value_codec import decode_values, encode_values

Values = Annotated[dict[str, Any], PlainValidator(decode_values)]
Flag = Annotated[bool, Field(strict=True)]

CARRIED: Final = ("values", "parameters", "pre_image", "post_image")
"""What a handler has asked for, because it cannot read it in the row."""

_NOTHING: Final[dict[str, Any]] = {name: {} for name in (*CARRIED, "expected")}
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


class _Contents(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    values: Values = {}
    parameters: Values = {}
    pre_image: Values = {}
    post_image: Values = {}
    expected: Values = {}
    changed_columns: tuple[str, ...] | None = None
    trimmed: Flag = False


def without_contents(event: IntegrationEvent) -> IntegrationEvent:
    """`event` without what it carries, and without a claim to it."""
    return replace(event, **_NOTHING, changed_columns=None, trimmed=True, claim=None)


def claimed(event: IntegrationEvent) -> tuple[IntegrationEvent, bytes]:
    """`event` with a claim in place of what it carries, and what it carries: the same bytes at every delivery.

    It counts as trimmed, which is how a version that knows no claims reads it.
    """
    contents = _ENCODER.encode(
        {
            **{to_camel(name): encode_values(getattr(event, name)) for name in _NOTHING},
            "changedColumns": event.changed_columns,
            "trimmed": event.trimmed,
        }
    ).encode()
    claim = Claim(hashlib.sha256(contents).hexdigest(), len(contents))
    return replace(event, **_NOTHING, trimmed=True, claim=claim), contents


def with_contents(event: IntegrationEvent, contents: bytes) -> IntegrationEvent:
    """`event` as it was before `claimed`.

    Raises `Permanent` (contents-changed) if `contents` are not what its claim stands for.
    """
    claim = event.claim
    if claim is not None and hashlib.sha256(contents).hexdigest() == claim.sha256:
        try:
            read = _Contents.model_validate_json(contents)
        except ValidationError:
            pass
        else:
            return replace(event, **{name: getattr(read, name) for name in _Contents.model_fields}, claim=None)
    raise Permanent(
        "what the event carries was changed in Blob Storage since it was taken in: have it sent anew by whoever has "
        "sent it, and discard this event",
        reason="contents-changed",
    )
