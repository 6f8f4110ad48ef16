"""The routes of the intake and of its callers as an OpenAPI document: from triggers, descriptions and models."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from documentation import openapi
from documentation.descriptions import described
from documentation.rest_contract import event_names
from documentation.routes import functions
from documentation.source import REPOSITORY
from integration import __version__
from integration.events.business_central_notification import Notification
from integration.events.business_event import BusinessEvent
from integration.events.erp_event import MOST, CloudEvent, PlainEvent
from integration.events.flat_row import FlatRow
from integration.events.plugin_event import PluginEvent
from integration.events.remote_execution_context import RemoteExecutionContext
from integration.intake.answers import AcceptedEvent, ListedEvents
from integration.intake.event_grid_intake import MOST as MOST_OF_EVENT_GRID
from integration.operations.outcomes import EventOutcome
from integration.webhooks.ended_event import EndedEvent
from integration.webhooks.subscribing import RenewalAsked, SubscriptionAsked, SubscriptionList, SubscriptionShown

FILE: Final = REPOSITORY / "docs" / "reference" / "intake.openapi.json"
_NOT_FOR_CALLERS: Final = ("operations", "console", "health", "odata", "dataverse/custom")
"""Routes of people, and that of Dataverse's own steps, whose answers have a form of their own (check-a-save.md)."""
_READ: Final = (
    RemoteExecutionContext,
    PluginEvent,
    FlatRow,
    PlainEvent,
    CloudEvent,
    BusinessEvent,
    Notification,
    SubscriptionAsked,
    RenewalAsked,
)
_ANSWERED: Final = (AcceptedEvent, ListedEvents, EventOutcome, SubscriptionShown, SubscriptionList, EndedEvent)
_CLOUD, _CLOUDS, _JSON = "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"
_WAITING: Final = {
    "Location": {"description": "Where to wait for the end.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds until it is worth asking.", "schema": {"type": "string"}},
}


def current() -> dict[Path, str]:
    """The document's file as it should be."""
    return {FILE: openapi.text(document())}


def document() -> dict[str, Any]:
    """OpenAPI 3.1; what is not documented of a body is ignored, and refusals are problems (RFC 9457)."""
    http = {name: it for name, it in functions().items() if it["type"] == "httpTrigger"}
    known = {name: it for name, it in http.items() if not str(it["route"]).startswith(_NOT_FOR_CALLERS)}
    texts = described("routes", http)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Intake of the Dataverse integration",
            "version": __version__,
            "description": "Where events are sent to, and where their senders learn what has become of them. A caller "
            "that has a secret signs its requests in place of sending a key (Standard Webhooks 1.0.0).",
        },
        "security": [{"key": []}, {"code": []}, {"token": []}],
        "paths": openapi.paths(known, lambda name, method, path: _operation(name, method, path, texts[name])),
        "components": {
            "securitySchemes": openapi.KEY
            | {
                "code": {"type": "apiKey", "in": "query", "name": "code"},
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of Entra, of an application of INTAKE_APPLICATIONS.",
                },
            },
            "schemas": _schemas(),
        },
    }


def _operation(name: str, method: str, route: str, text: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": name if method != "options" else f"{name}_handshake",
        "summary": text["does"],
        "description": f"For {text['key']}.",
        "parameters": [*_parameters(name, method, route)],
        "responses": {code: _answer(name, method, code) for code in re.findall(r"\d{3}", text["answers"])},
    }
    if name == "business_central_webhook":
        found["security"] = []  # the key is in the body
    if method == "post":
        found["requestBody"] = _BODIES[name]
    if name == "subscribe":
        found["callbacks"] = {"notification": {"{$request.body#/url}": {"post": _NOTIFICATION}}}
    return found


def _parameters(name: str, method: str, route: str) -> list[dict[str, Any]]:
    schemas = {"name": {"type": "string", "enum": event_names()}}
    found: list[dict[str, Any]] = [
        {"name": it, "in": "path", "required": True, "schema": schemas.get(it, {"type": "string"})}
        for it in re.findall(r"\{(\w+)\}", route)
    ]
    if method == "options":
        found.append({"name": "WebHook-Request-Origin", "in": "header", "required": True, "schema": {"type": "string"}})
    if name == "business_central_webhook":
        found.append({"name": "validationToken", "in": "query", "schema": {"type": "string"}})
    return found


def _answer(name: str, method: str, code: str) -> dict[str, Any]:
    says = openapi.SAYS[code]
    if code == "413":
        return {"description": says}
    if code >= "400":
        return openapi.problem(says, "FailedEvent" if code == "422" else "Problem")
    special = {
        ("event_status", "get", "200"): openapi.answer(says, openapi.of("EventOutcome")),
        ("event_outcome", "get", "200"): openapi.answer(says, openapi.of("EventOutcome")),
        ("event_outcome", "get", "202"): openapi.answer("It has not ended.", openapi.of("EventOutcome"))
        | {"headers": _WAITING},
        ("subscribe", "post", "201"): openapi.answer(says, openapi.of("SubscriptionShown"))
        | {"headers": {"Location": _WAITING["Location"]}},
        ("list_subscriptions", "get", "200"): openapi.answer(says, openapi.of("SubscriptionList")),
        ("show_subscription", "get", "200"): openapi.answer(says, openapi.of("SubscriptionShown")),
        ("renew_subscription", "post", "200"): openapi.answer(says, openapi.of("SubscriptionShown")),
        ("unsubscribe", "delete", "204"): {"description": says},
        ("event_grid_delivery", "options", "200"): {"description": "This sender may send; headers say how much."},
        ("event_grid_delivery", "post", "200"): openapi.answer(
            says, {"anyOf": [openapi.of("ListedEvents"), _VALIDATION_RESPONSE]}
        ),
        ("business_central_webhook", "post", "200"): {
            "description": says,
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    }
    either = {"anyOf": [openapi.of("AcceptedEvent"), openapi.of("ListedEvents")]}
    return special.get((name, method, code)) or openapi.answer(says, either) | {"headers": _WAITING}


def _schemas() -> dict[str, Any]:
    modes = [*((it, "validation") for it in _READ), *((it, "serialization") for it in _ANSWERED)]
    models: list[tuple[type[BaseModel], Any]] = [*modes]
    _, made = models_json_schema(models, ref_template=openapi.REF)
    schemas = {
        **made["$defs"],
        "Problem": openapi.PROBLEM,
        "FailedEvent": {"allOf": [openapi.of("Problem"), openapi.of("EventOutcome")]},
    }
    return {name: openapi.plain(schemas[name]) for name in sorted(schemas)}


def _of_erp() -> dict[str, Any]:
    one = {"anyOf": [openapi.of("PlainEvent"), openapi.of("CloudEvent"), openapi.of("BusinessEvent")]}
    event, events = openapi.of("CloudEvent"), {"type": "array", "items": openapi.of("CloudEvent")}
    found = openapi.body({"anyOf": [one, {"type": "array", "maxItems": MOST, "items": one}]}, _JSON)
    found["content"] |= openapi.body(event, _CLOUD)["content"] | openapi.body(events, _CLOUDS)["content"]
    return found


def _of_event_grid() -> dict[str, Any]:
    sent = {"anyOf": [openapi.of(it) for it in ("RemoteExecutionContext", "PluginEvent", "BusinessEvent")]}
    cloud = {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            **{it: {"type": "string"} for it in ("id", "source", "type", "traceparent", "tracestate")},
            "specversion": {"const": "1.0"},
            "data": sent,
        },
    }
    own = {
        "type": "object",
        "required": ["id", "eventType", "data"],
        "properties": {**{it: {"type": "string"} for it in ("id", "eventType", "subject", "topic")}, "data": sent},
    }
    many = {"type": "array", "minItems": 1, "maxItems": MOST_OF_EVENT_GRID, "items": {"anyOf": [own, cloud]}}
    found = openapi.body({"anyOf": [own, many]}, _JSON)
    found["content"] |= openapi.body(cloud, _CLOUD)["content"] | openapi.body(many, _CLOUDS)["content"]
    return found


_VALIDATION_RESPONSE: Final = {"type": "object", "properties": {"validationResponse": {"type": "string"}}}
_NOTIFICATION: Final = {
    "summary": "Says that an event has ended, at least once and in no order, signed as Standard Webhooks 1.0.0 has it.",
    "parameters": [
        {"name": it, "in": "header", "required": True, "schema": {"type": "string"}}
        for it in ("webhook-id", "webhook-timestamp", "webhook-signature")
    ],
    "requestBody": openapi.body(openapi.of("EndedEvent")),
    "responses": {
        "2XX": {"description": "It has been taken."},
        "410": {"description": "Nobody wants to be told any more: the subscription is removed."},
        "default": {"description": "It comes again later."},
    },
}
_BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "dataverse_webhook": openapi.body(openapi.of("RemoteExecutionContext")),
    "plugin_event": openapi.body(openapi.of("PluginEvent")),
    "subscribe": openapi.body(openapi.of("SubscriptionAsked")),
    "renew_subscription": {**openapi.body(openapi.of("RenewalAsked")), "required": False},
    "flat_row": openapi.body(openapi.of("FlatRow")),
    "erp_events": _of_erp(),
    "event_grid_delivery": _of_event_grid(),
    "business_central_webhook": openapi.body(
        {
            "type": "object",
            "required": ["value"],
            "properties": {"value": {"type": "array", "minItems": 1, "items": openapi.of("Notification")}},
        }
    ),
}
