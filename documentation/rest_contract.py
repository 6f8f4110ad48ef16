"""The REST contract as an OpenAPI document: what an ERP and credit scoring have to serve to be called as they are."""

from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from documentation import inbound, openapi
from documentation.source import REPOSITORY
from integration.events.erp_event import MOST, CloudEvent, PlainEvent
from integration.systems import (
    CreditScore,
    CustomerMatch,
    CustomerReport,
    CustomerState,
    Order,
    OrderReport,
    OrderState,
)
from integration.systems.messages import CustomerList, OrderList
from integration.systems.rest.credit import ScoreRequest
from integration.systems.rest.erp import PutCustomer, StatusChange

FILE = REPOSITORY / "docs" / "reference" / "rest-contract.openapi.json"
_SENT = (PutCustomer, Order, StatusChange, ScoreRequest)
_ANSWERED = (
    CustomerState, CustomerMatch, OrderState, CustomerReport, OrderReport, CustomerList, OrderList, CreditScore,
    PlainEvent, CloudEvent,
)  # fmt: skip
_PROBLEM = (
    "A problem of the system's own. 404 of type `not-found`; 409 of type `stale-version` for an older sourceVersion; "
    "422 of type `match-ambiguous`, `match-taken` or `number-unknown` where people have to say which customer it is; "
    "422 of type `customer-blocked`, `period-closed`, `order-posted`, `order-confirmed`, `value-unknown`, "
    "`value-too-long` or `value-invalid`, each of which is a reason of the same name; 422 for anything else that "
    "cannot be, with what is wrong in type, title and errors; 429 or 503 with Retry-After for a pause."
)


def current() -> dict[Path, str]:
    """The document's file as it should be."""
    return {FILE: openapi.text(document())}


def document() -> dict[str, Any]:
    """OpenAPI 3.1: the routes of the adapters in `integration/systems/rest`, with the schemas of what they send."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Systems that the Dataverse integration calls over REST",
            "version": "1",
            "description": "An ERP serves the customers and orders, credit scoring the scores. A repeated "
            "Idempotency-Key with the same content gets the first answer and has no second effect. Properties that a "
            "PUT does not name stay as they are, null empties one. Refusals are problems (RFC 9457) with a type of the "
            "system's own.",
        },
        "paths": {
            "/api/customers/{id}": _resource("customer", "PutCustomer", "CustomerState"),
            "/api/orders/{id}": _resource("order", "Order", "OrderState"),
            "/api/customers": _listed("customers", "CustomerList"),
            "/api/orders": _listed("orders", "OrderList"),
            "/api/customers/{id}/match": _match(),
            "/api/customers/{id}/report": _report("customer", "Say how the customer stands.", "CustomerReport"),
            "/api/orders/{id}/report": _report("order", "Say how far the order has come.", "OrderReport"),
            "/api/scores": {
                "post": _operation("score", "Score a customer for an amount; every answer that is not a repeat may be "
                                   "charged.", "CreditScore", sent="ScoreRequest"),
            },
        },
        "webhooks": {name: _webhook(name) for name in event_names()},
        "components": {
            "schemas": _schemas(),
            "parameters": {
                "id": _parameter("id", "path", "The record's id in Dataverse, a GUID.", required=True),
                "force": _parameter("force", "query", "`true`: also where a newer sourceVersion is stored."),
                "key": _parameter("Idempotency-Key", "header", "The same for every try of the same.", required=True),
                "correlation": _parameter("x-correlation-id", "header", "Of the change in Dataverse."),
                "trace": _parameter("traceparent", "header", "W3C Trace Context."),
            },
            "responses": {
                "Problem": {
                    "description": _PROBLEM,
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
        },
    }  # fmt: skip


def _resource(name: str, sent: str, answered: str) -> dict[str, Any]:
    one = f"the {name}"
    status = "block it" if name == "customer" else "put it on hold"
    return {
        "parameters": [_of("id")],
        "get": _operation(f"get-{name}", f"Read {one}.", answered),
        "put": _operation(f"put-{name}", f"Create {one} or bring it to this state.", answered, sent=sent, forced=True),
        "patch": _operation(f"change-{name}", f"Change the status of {one}: {status}.", answered, sent="StatusChange"),
    }


def _match() -> dict[str, Any]:
    """Only systems whose settings have `matchBy` are asked."""
    does = "Say which customer a PUT with these keys under `match` would take; change nothing."
    operation = _operation("match-customer", does, "CustomerMatch")
    names = {
        "customerNumber": "The number that stands in Dataverse.",
        "accountNumber": "What people keep in Dataverse as the number in the books.",
        "taxNumber": "VAT or tax registration number; spaces, dots and dashes do not count.",
    }
    operation["parameters"] += [_parameter(name, "query", says) for name, says in names.items()]
    return {"parameters": [_of("id")], "get": operation}


def _listed(name: str, answered: str) -> dict[str, Any]:
    """Only asked where virtual tables are used."""
    operation = _operation(f"list-{name}", f"List the {name} in the order of their numbers.", answered)
    names = {
        "skip": "How many to leave out at the beginning.",
        "top": "How many to give at most; the system may give fewer, but no more than 1,000, and none only at the end.",
        "id": "Only the one with this id.",
    }
    operation["parameters"] += [_parameter(name, "query", says) for name, says in names.items()]
    return {"get": operation}


def _report(name: str, does: str, answered: str) -> dict[str, Any]:
    return {"parameters": [_of("id")], "get": _operation(f"report-{name}", does, answered)}


def event_names() -> list[str]:
    """The names of events of an ERP that flows declare."""
    return sorted(name for flow in inbound.declared().values() for name in flow.events)


def _webhook(name: str) -> dict[str, Any]:
    """What an ERP posts to the app when something happens to a record."""
    one = [{"$ref": f"#/components/schemas/{it}"} for it in ("PlainEvent", "CloudEvent")]
    either = {"oneOf": [*one, {"type": "array", "maxItems": MOST, "items": {"oneOf": one}}]}
    event = {"$ref": "#/components/schemas/CloudEvent"}
    return {
        "post": {
            "operationId": name,
            "summary": f"POST /api/erp/events/{name} of the app: says that something has happened to a record, which "
            "the app then reads. Send it until it is answered with 2xx; the same event may be sent more than once, "
            "and events may overtake each other.",
            "parameters": [_parameter("x-functions-key", "header", "The key of the ERP.", required=True)],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": either},
                    "application/cloudevents+json": {"schema": event},
                    "application/cloudevents-batch+json": {"schema": {"type": "array", "items": event}},
                },
            },
            "responses": {
                "202": {"description": "Durably queued."},
                "503": {"description": "Not queued: send it again after Retry-After seconds."},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        }
    }


def _operation(name: str, does: str, answered: str, *, sent: str | None = None, forced: bool = False) -> dict[str, Any]:
    names = [*(["key"] if sent else []), *(["force"] if forced else []), "correlation", "trace"]
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": does,
        "parameters": [_of(it) for it in names],
        "responses": {"2XX": {"description": "Done, or done before.", **_content(answered)},
                      "default": {"$ref": "#/components/responses/Problem"}},
    }  # fmt: skip
    if sent:
        operation["requestBody"] = {"required": True, **_content(sent)}
    return operation


def _content(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _of(parameter: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{parameter}"}


def _parameter(name: str, place: str, says: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "description": says, "schema": {"type": "string"}}


def _schemas() -> dict[str, Any]:
    _, sent = models_json_schema([(it, "serialization") for it in _SENT], ref_template=openapi.REF)
    _, answered = models_json_schema([(it, "validation") for it in _ANSWERED], ref_template=openapi.REF)
    problem = {
        "type": "object",
        "required": ["type"],
        "properties": {name: {"type": "string"} for name in ("type", "title", "detail")}
        | {"status": {"type": "integer"}},
    }
    schemas = {**sent["$defs"], **answered["$defs"], "Problem": problem}
    return {name: openapi.plain(schemas[name]) for name in sorted(schemas)}
