"""The form of an event in queue, hub and archive: a CloudEvents 1.0 structured JSON document.

The context attributes are what a broker, sink or person filters by; `data` is the normalised event. `contractversion`
is `major.minor`: a new minor adds what older readers ignore. A new major changes the meaning; its documents are read by
the version that wrote them and by the next one. See docs/reference/events.md.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic.alias_generators import to_camel

from integration.errors import Unreadable
from integration.events.body import has_surrogates, without_surrogates
from integration.events.contents import Flag, Values
from integration.events.fields import pointer
from integration.events.model import Claim, IntegrationEvent, is_of_another_system
from integration.events.refused_message import check_refused
from integration.events.value_codec import decode_time, encode_time, encode_values

CONTRACT_VERSION = "1.4"

_READABLE_MAJORS = ("1",)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False)

_Text = Annotated[str, Field(min_length=1)]
_Time = Annotated[datetime, PlainValidator(decode_time)]


class _Claim(BaseModel):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(strict=True, ge=0)]


class _Data(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    table: _Text
    message: _Text
    record_id: str | None = None
    organisation: str
    user_id: str | None = None
    initiating_user_id: str | None = None
    changed_columns: tuple[str, ...] | None = None
    values: Values = {}
    parameters: Values = {}
    pre_image: Values = {}
    post_image: Values = {}
    tag: str | None = None
    trimmed: Flag = False
    unread: tuple[str, ...] = ()
    uncommitted: Flag = False
    expected: Values = {}
    caller: str | None = None
    cause: str | None = None
    row_version: Annotated[int, Field(strict=True, ge=0)] | None = None
    settled: dict[str, Any] | None = None
    claim: _Claim | None = None


class _Envelope(BaseModel):
    specversion: Literal["1.0"]
    id: _Text
    time: _Time
    correlationid: _Text
    traceparent: str | None = None
    tracestate: str | None = None
    acceptedtime: _Time
    attempt: Annotated[int, Field(strict=True, ge=1)] = 1
    firstfailedtime: _Time | None = None
    replayof: _Text | None = None
    forced: Flag = False
    data: _Data


def to_envelope(event: IntegrationEvent) -> bytes:
    """`event` as UTF-8 JSON."""
    return _ENCODER.encode(_document(event)).encode()


def from_envelope(envelope: bytes) -> IntegrationEvent:
    """The event in `envelope`.

    Raises `Unreadable` for anything that is not an envelope of a version that this app reads, with the reason of the
    intake for what the intake refused.
    """
    check_refused(envelope)
    try:
        document = _decoded(envelope.decode())
        _check_version(document)
        read = _Envelope.model_validate(document)
    except ValidationError as error:
        where = ", ".join(pointer(*it["loc"]) for it in error.errors(include_url=False, include_input=False)[:5])
        raise Unreadable(f"The message is not an event of this app; wrong or missing: {where}.") from None
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"The message is not an event of this app ({type(error).__name__}).") from None
    data = read.data
    return IntegrationEvent(
        event_id=read.id,
        table=data.table,
        message=data.message,
        record_id=data.record_id,
        organisation=data.organisation,
        correlation_id=read.correlationid,
        operation_time=read.time,
        accepted_time=read.acceptedtime,
        user_id=data.user_id,
        initiating_user_id=data.initiating_user_id,
        changed_columns=data.changed_columns,
        values=data.values,
        parameters=data.parameters,
        pre_image=data.pre_image,
        post_image=data.post_image,
        tag=data.tag,
        trimmed=data.trimmed,
        unread=data.unread,
        uncommitted=data.uncommitted,
        expected=data.expected,
        caller=data.caller,
        cause=data.cause,
        row_version=data.row_version,
        settled=data.settled,
        claim=Claim(data.claim.sha256, data.claim.bytes) if data.claim else None,
        traceparent=read.traceparent,
        tracestate=read.tracestate,
        attempt=read.attempt,
        first_failed_at=read.firstfailedtime,
        replay_of=read.replayof,
        forced=read.forced,
    )


def _decoded(text: str) -> Any:
    document = json.loads(text)
    return without_surrogates(document) if has_surrogates(text) else document


def _document(event: IntegrationEvent) -> dict[str, Any]:
    first_failed = event.first_failed_at
    return _given(
        {
            "specversion": "1.0",
            "id": event.event_id,
            "source": f"/{event.system}/{quote(event.organisation, safe='')}",
            "type": f"{_type(event)}.{event.message}",
            "subject": f"{event.table}/{event.record_id}" if event.record_id else None,
            "time": encode_time(event.operation_time),
            "datacontenttype": "application/json",
            "correlationid": event.correlation_id,
            "traceparent": event.traceparent,
            "tracestate": event.tracestate,
            "acceptedtime": encode_time(event.accepted_time),
            "attempt": event.attempt,
            "firstfailedtime": encode_time(first_failed) if first_failed else None,
            "replayof": event.replay_of,
            "forced": event.forced or None,
            "contractversion": CONTRACT_VERSION,
            "data": _given(
                {
                    "table": event.table,
                    "message": event.message,
                    "recordId": event.record_id,
                    "organisation": event.organisation,
                    "userId": event.user_id,
                    "initiatingUserId": event.initiating_user_id,
                    "changedColumns": event.changed_columns,
                    "values": encode_values(event.values) or None,
                    "parameters": encode_values(event.parameters) or None,
                    "preImage": encode_values(event.pre_image) or None,
                    "postImage": encode_values(event.post_image) or None,
                    "tag": event.tag,
                    "trimmed": event.trimmed or None,
                    "unread": event.unread or None,
                    "uncommitted": event.uncommitted or None,
                    "expected": encode_values(event.expected) or None,
                    "caller": event.caller,
                    "cause": event.cause,
                    "rowVersion": event.row_version,
                    "settled": event.settled,
                    "claim": {"sha256": event.claim.sha256, "bytes": event.claim.size_bytes} if event.claim else None,
                }
            ),
        }
    )


def _type(event: IntegrationEvent) -> str:
    return event.table if is_of_another_system(event.table) else f"dataverse.{event.table}"


def _given(members: dict[str, Any]) -> dict[str, Any]:
    """Leaves out what is None, because no CloudEvents attribute is null and readers have the defaults."""
    return {name: value for name, value in members.items() if value is not None}


def _check_version(document: Any) -> None:
    version = document.get("contractversion") if isinstance(document, dict) else None
    if not isinstance(version, str):
        raise Unreadable("The message is not an event of this app: it has no contractversion.")
    if version.partition(".")[0] not in _READABLE_MAJORS:
        raise Unreadable("The message has a contract version that this app does not read; deploy the newer app first.")
