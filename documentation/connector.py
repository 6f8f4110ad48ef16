"""The custom connector for Power Automate and Logic Apps: `python3 run.py connector`.

It is made of the models that read and write the bodies, as OpenAPI 2.0: custom connectors take nothing newer. Rules:
learn.microsoft.com, "Fix Swagger Validator errors", "Coding standards" and "OpenAPI extensions" for custom connectors.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from documentation import openapi
from documentation.connector_icon import BRAND_COLOUR, png
from documentation.connector_schemas import input_schema, output_schema
from integration import __version__
from integration.events.flat_row import FlatRow
from integration.operations.outcomes import EventOutcome
from integration.webhooks.ended_event import EndedEvent
from integration.webhooks.subscribing import SubscriptionAsked

_EVENT_ID: Final = {
    "name": "event_id",
    "in": "path",
    "required": True,
    "type": "string",
    "x-ms-summary": "Event Id",
    "description": "The id that the answer to the sent row gave the event.",
    "x-ms-url-encoding": "single",
}


def package(host: str) -> dict[str, bytes]:
    """The files of the connector for the app at `host`, by their names."""
    return {
        "apiDefinition.swagger.json": openapi.text(definition(host), indent=4).encode(),
        "apiProperties.json": openapi.text(properties(), indent=4).encode(),
        "icon.png": png(),
    }


def definition(host: str) -> dict[str, Any]:
    """OpenAPI 2.0 with Microsoft's extensions."""
    return {
        "swagger": "2.0",
        "info": {
            "title": "Integration Events",
            "description": "Sends rows to the integration with the ERP and other systems, waits until they are carried "
            "out, and says what became of them.",
            "version": __version__,
            "contact": {"name": "The team that runs the integration", "email": "integration@example.com"},
        },
        "host": host,
        "basePath": "/api",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
        "security": [{"key": []}],
        "x-ms-connector-metadata": [
            {"propertyName": "Website", "propertyValue": f"https://{host}"},
            {"propertyName": "Privacy policy", "propertyValue": f"https://{host}"},
            {"propertyName": "Categories", "propertyValue": "Business Management"},
        ],
        "paths": {
            "/rows": {"post": _send_row()},
            "/events/{event_id}": {"get": _read_outcome()},
            "/events/{event_id}/outcome": {"get": _wait_for_outcome()},
            "/subscriptions": {
                "post": _when_an_event_ends(),
                "x-ms-notification-content": {
                    "description": "An event that has ended.",
                    "schema": output_schema(EndedEvent),
                },
            },
            "/subscriptions/{subscription_id}": {"delete": _unsubscribe()},
        },
    }


def properties() -> dict[str, Any]:
    """What is asked of somebody who makes a connection, and how the connector looks."""
    return {
        "properties": {
            "connectionParameters": {
                "api_key": {
                    "type": "securestring",
                    "uiDefinition": {
                        "displayName": "Key",
                        "description": "The key of this caller (INTAKE_KEYS)",
                        "tooltip": "The team that runs the integration gives it",
                        "constraints": {"tabIndex": 2, "clearText": False, "required": "true"},
                    },
                }
            },
            "iconBrandColor": BRAND_COLOUR,
            "capabilities": [],
            "policyTemplateInstances": [],
        }
    }


def _send_row() -> dict[str, Any]:
    body = {
        "name": "body",
        "in": "body",
        "required": True,
        "schema": input_schema(FlatRow, important=("table", "columns"), advanced=("rowVersion", "changedColumns")),
    }
    return {
        **_named(
            "SendRow",
            "Send a row and wait for its outcome",
            "Sends a row that has changed, and waits until the integration has carried it out. The action fails if the "
            "row needs a person. Switch off the asynchronous pattern in the settings of the action to go on at once.",
        ),
        "parameters": [body],
        "responses": _waited() | _refused("400", "403", "413", "429"),
    }


def _read_outcome() -> dict[str, Any]:
    return {
        **_named(
            "ReadOutcome",
            "Read how far an event is",
            "Says how far an event is now, without waiting. Its outcome is pending, done or failed.",
        ),
        "parameters": [_EVENT_ID],
        "responses": {"200": _answer("How far it is.", EventOutcome)} | _refused("404"),
    }


def _wait_for_outcome() -> dict[str, Any]:
    return {
        **_named(
            "WaitForOutcome",
            "Wait for the outcome of an event",
            "Waits until an event has ended. The action fails if the event needs a person; its output says why.",
        ),
        "parameters": [_EVENT_ID],
        "responses": _waited() | _refused("404"),
    }


def _when_an_event_ends() -> dict[str, Any]:
    """A webhook: the platform subscribes when a flow is switched on, and sends DELETE to the Location afterwards."""
    schema = input_schema(SubscriptionAsked, important=("tables", "outcomes"), advanced=("flows",))
    schema["properties"]["url"] |= {"x-ms-notification-url": True, "x-ms-visibility": "internal"}
    return {
        **_named(
            "WhenAnEventEnds",
            "When an event has ended",
            "Starts the flow when the integration has carried an event out, or cannot without a person.",
        ),
        "x-ms-trigger": "single",
        "x-ms-trigger-hint": "To see it work, change a row that the integration handles.",
        "parameters": [{"name": "body", "in": "body", "required": True, "schema": schema}],
        "responses": {"201": {"description": "Subscribed."}} | _refused("400", "403", "409", "429"),
    }


def _unsubscribe() -> dict[str, Any]:
    return {
        "operationId": "Unsubscribe",
        "summary": "End a subscription",
        "description": "Ends a subscription; the platform does so when a flow is switched off.",
        "x-ms-visibility": "internal",
        "parameters": [
            {
                "name": "subscription_id",
                "in": "path",
                "required": True,
                "type": "string",
                "x-ms-summary": "Subscription Id",
                "description": "The id of the subscription.",
                "x-ms-url-encoding": "single",
            }
        ],
        "responses": {"204": {"description": "Ended, now or before."}} | _refused("404"),
    }


def _named(name: str, summary: str, description: str) -> dict[str, str]:
    return {"operationId": name, "summary": summary, "description": description, "x-ms-visibility": "important"}


def _waited() -> dict[str, Any]:
    """The designer uses one schema of an operation: that of the answer with which waiting ends."""
    return {
        "200": _answer("It has ended, and everything is done.", EventOutcome),
        "202": {"description": "It has not ended; the platform asks again."},
        "422": {"description": "It has ended and needs a person; reason and detail say why."},
    }


def _answer(says: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"description": says, "schema": output_schema(model)}


def _refused(*codes: str) -> dict[str, Any]:
    return {code: {"description": openapi.SAYS[code]} for code in ("401", *codes, "503")}


def main(arguments: list[str]) -> int:
    """Write the package."""
    parser = argparse.ArgumentParser(prog="run.py connector")
    parser.add_argument("--host", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    write(package(options.host), options.out)
    print(f"The connector for {options.host}: {options.out}")
    return 0


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
