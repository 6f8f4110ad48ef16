"""`$management`: what clients ask of an entity by request and response."""

import uuid
from collections.abc import Callable
from typing import Any

from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.types import Array, Int, Timestamp
from sandbox.azure.broker.entities.browsing import cancel_scheduled, peek, receive_deferred
from sandbox.azure.broker.entities.eventhub import EventHub, Partition
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.sessions import SessionTable
from sandbox.azure.broker.entities.topic import Subscription
from sandbox.azure.broker.errors import BrokerError, not_allowed, not_found
from sandbox.azure.broker.links.endpoints import Scheduler
from sandbox.azure.broker.links.requests import ReplyLink, Request, RequestLink, Response
from sandbox.azure.broker.links.rule_requests import add_rule, enumerate_rules, remove_rule
from sandbox.azure.broker.message import QUEUE_MESSAGE_LIMIT, BrokeredMessage, DeadLetterReason
from sandbox.azure.shared_access import LISTEN, SEND

_VENDOR = "com.microsoft:"
_ANY_STATE_CHANGE = 253_402_300_800_000  # year 10000: the SDKs' way to ask for sessions with messages
_NO_TIME = -62_135_596_800_000  # .NET's DateTime.MinValue, as an empty partition reports it


class ManagementLink(RequestLink):
    """Answers for one entity; for an event hub the request names the hub.

    `require(right, path)` raises for a peer that does not have this right to the path.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        replies: dict[str | None, ReplyLink],
        path: str,
        require: Callable[[str, str], None],
    ) -> None:
        super().__init__(scheduler, replies)
        self._path, self._require = path, require

    def answer(self, request: Request) -> Response:
        operation = request.text("operation")
        if operation == "READ":
            return _read(self._hub(request.text("name") or self._path), request)
        entity = self._scheduler.namespace.resolve(self._path)
        handler = _OPERATIONS.get(operation.removeprefix(_VENDOR))
        if handler is None or not isinstance(entity, Queue):
            raise BrokerError("amqp:not-implemented", f"The operation '{operation}' is not supported here.", 501)
        self._require(SEND if handler in {_schedule, _cancel} else LISTEN, self._path)
        try:
            return handler(entity, request)
        except ProtocolError as error:
            raise BrokerError(error.condition, error.description) from error

    def _hub(self, name: str) -> EventHub:
        hub = self._scheduler.namespace.hubs.get(name.lower())
        if hub is None:
            raise not_found(name)
        return hub


# ---- Event Hubs


def _read(hub: EventHub, request: Request) -> Response:
    kind = request.text("type")
    if kind == "com.microsoft:partition":
        return Response(200, body=_partition_properties(hub.partition(request.text("partition"))))
    if kind != "com.microsoft:eventhub":
        raise BrokerError("amqp:not-implemented", f"READ of '{kind}' is not supported.", 501)
    return Response(
        200,
        body={
            "name": hub.name,
            "type": kind,
            "created_at": Timestamp(hub.created_at),
            "partition_count": Int(len(hub.partitions)),
            "partition_ids": Array(str, [str(item.index) for item in hub.partitions]),
            "georeplication_factor": Int(1),
        },
    )


def _partition_properties(partition: Partition) -> dict[str, Any]:
    last = partition.last
    return {
        "name": partition.hub,
        "type": "com.microsoft:partition",
        "partition": str(partition.index),
        "begin_sequence_number": partition.first_sequence_number,
        "begin_sequence_number_epoch": Int(-1),
        "last_enqueued_sequence_number": last.sequence_number if last else -1,
        "last_enqueued_sequence_number_epoch": Int(-1),
        "last_enqueued_offset": str(last.offset) if last else "-1",
        "last_enqueued_time_utc": Timestamp(last.enqueued_at if last else _NO_TIME),
        "is_partition_empty": not partition.events,
    }


# ---- Service Bus: messages


def _schedule(queue: Queue, request: Request) -> Response:
    messages, size = [], 0
    for entry in request.argument("messages", list):
        encoded = entry.get("message") if isinstance(entry, dict) else None
        if not isinstance(encoded, bytes):
            raise BrokerError("com.microsoft:argument-error", "'message' is missing.")
        messages.append(BrokeredMessage.receive(encoded))
        size += len(encoded)
    if queue.is_dead_letters or isinstance(queue, Subscription):
        raise not_allowed(f"Messages cannot be sent to '{queue.name}'.")
    if size > QUEUE_MESSAGE_LIMIT:
        said = f"The messages have {size} bytes, and {QUEUE_MESSAGE_LIMIT} are allowed."
        raise BrokerError("amqp:link:message-size-exceeded", said)
    for message in messages:
        queue.check(message)
    return Response(200, body={"sequence-numbers": Array(int, [queue.send(message) for message in messages])})


def _cancel(queue: Queue, request: Request) -> Response:
    cancel_scheduled(queue, request.argument("sequence-numbers", list))
    return Response(200)


def _peek(queue: Queue, request: Request) -> Response:
    first, count = request.argument("from-sequence-number", int), request.number("message-count", least=1)
    found = peek(queue, first, count, request.argument("session-id", str, type(None)))
    body = {"messages": [{"message": message.encode(with_state=True)} for message in found]}
    return Response(200 if found else 204, body=body)


def _receive_deferred(queue: Queue, request: Request) -> Response:
    lock = request.argument("receiver-settle-mode", int, type(None)) != 0
    numbers = request.argument("sequence-numbers", list)
    found = receive_deferred(queue, numbers, request.argument("session-id", str, type(None)), lock=lock)
    messages: list[dict[str, Any]] = [{"message": message.encode(with_state=True)} for message in found]
    for entry, message in zip(messages, found, strict=True):
        if message.lock_token is not None:
            entry["lock-token"] = message.lock_token
    return Response(200, body={"messages": messages})


def _renew(queue: Queue, request: Request) -> Response:
    ends = [queue.renew(_token(item)) for item in request.argument("lock-tokens", list)]
    return Response(200, body={"expirations": Array(Timestamp, ends)})


def _update_disposition(queue: Queue, request: Request) -> Response:
    status = request.argument("disposition-status", str)
    changes = request.argument("properties-to-modify", dict, type(None)) or {}
    reason = DeadLetterReason(
        request.argument("deadletter-reason", str, type(None)),
        request.argument("deadletter-description", str, type(None)),
        {str(key): value for key, value in changes.items()},
    )
    settle: dict[str, Callable[[uuid.UUID], None]] = {
        "completed": queue.complete,
        "abandoned": lambda token: queue.abandon(token, changes),
        "defered": lambda token: queue.defer(token, changes),  # the protocol's own spelling
        "suspended": lambda token: queue.dead_letter(token, reason),
    }
    if status not in settle:
        raise BrokerError("com.microsoft:argument-error", f"'{status}' is not a disposition.")
    for item in request.argument("lock-tokens", list):
        settle[status](_token(item))
    return Response(200)


def _token(item: Any) -> uuid.UUID:
    try:
        return item if isinstance(item, uuid.UUID) else uuid.UUID(str(item))
    except ValueError:
        raise BrokerError("com.microsoft:argument-error", f"'{item}' is not a lock token.") from None


# ---- Service Bus: sessions


def _sessions(queue: Queue) -> SessionTable:
    if queue.sessions is None:
        raise not_allowed("The entity does not require sessions.")
    return queue.sessions


def _session(request: Request) -> tuple[str, str | None]:
    """The session that is meant and, when the client names it, the link that holds it."""
    return request.argument("session-id", str), request.text("associated-link-name") or None


def _renew_session(queue: Queue, request: Request) -> Response:
    return Response(200, body={"expiration": Timestamp(_sessions(queue).renew(*_session(request)))})


def _get_session_state(queue: Queue, request: Request) -> Response:
    return Response(200, body={"session-state": _sessions(queue).held(*_session(request)).state})


def _set_session_state(queue: Queue, request: Request) -> Response:
    _sessions(queue).set_state(*_session(request), request.argument("session-state", bytes, type(None)))
    return Response(200)


def _list_sessions(queue: Queue, request: Request) -> Response:
    after = request.argument("last-updated-time", int)
    skip, top = request.number("skip"), request.number("top")
    sessions = _sessions(queue)
    ids = sessions.active_ids() if after >= _ANY_STATE_CHANGE else sessions.ids_with_state_set_after(after)
    page = ids[skip : skip + top]
    if not page:  # the Python SDK cannot read an empty array
        return Response(204, body={"skip": Int(skip), "sessions-ids": []})
    return Response(200, body={"skip": Int(skip + len(page)), "sessions-ids": Array(str, page)})


_OPERATIONS: dict[str, Callable[[Queue, Request], Response]] = {
    "schedule-message": _schedule,
    "cancel-scheduled-message": _cancel,
    "peek-message": _peek,
    "receive-by-sequence-number": _receive_deferred,
    "renew-lock": _renew,
    "update-disposition": _update_disposition,
    "renew-session-lock": _renew_session,
    "get-session-state": _get_session_state,
    "set-session-state": _set_session_state,
    "get-message-sessions": _list_sessions,
    "add-rule": add_rule,
    "remove-rule": remove_rule,
    "enumerate-rules": enumerate_rules,
}
