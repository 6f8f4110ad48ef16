"""What the tests of the readers share: the payloads, and a context small enough to change one thing in it."""

import json
from datetime import UTC, datetime
from typing import Any

from integration.events import IntegrationEvent, read_remote_execution_context
from sandbox.repository import PAYLOADS

ACCEPTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROW = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER_ROW = "bbbbbbbb-0000-4000-8000-000000000002"


def payload(name: str) -> bytes:
    """A file of tests/payloads as the intake gets it."""
    raw = (PAYLOADS / f"{name}.json").read_bytes()
    if name == "constructed/servicebus_json_update_contact":
        return str(json.loads(raw)["body"]).encode()
    return raw


def read(body: bytes | dict[str, Any], *, repair_mojibake: bool = False, **headers: str) -> IntegrationEvent:
    """Read a context; header names with `_` for `-`."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    return read_remote_execution_context(
        body,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        accepted_time=ACCEPTED,
        repair_mojibake=repair_mojibake,
    )


def pair(key: str, value: Any) -> dict[str, Any]:
    """An entry of an attribute or parameter list."""
    return {"key": key, "value": value}


def entity(table: str = "account", row: str = ROW, **columns: Any) -> dict[str, Any]:
    """An Entity as Dataverse writes it."""
    return {
        "__type": "Entity:http://schemas.microsoft.com/xrm/2011/Contracts",
        "Attributes": [pair(name, value) for name, value in columns.items()],
        "EntityState": None,
        "FormattedValues": [],
        "Id": row,
        "KeyAttributes": [],
        "LogicalName": table,
        "RelatedEntities": [],
        "RowVersion": None,
    }


def reference(table: str = "account", row: str = ROW, name: str | None = None) -> dict[str, Any]:
    """An EntityReference as Dataverse writes it."""
    return {
        "__type": "EntityReference:http://schemas.microsoft.com/xrm/2011/Contracts",
        "Id": row,
        "KeyAttributes": [],
        "LogicalName": table,
        "Name": name,
        "RowVersion": None,
    }


def context(target: Any = None, /, **changed: Any) -> dict[str, Any]:
    """An asynchronous Update of an account; `changed` replaces top-level keys."""
    return {
        "CorrelationId": "cccccccc-0000-4000-8000-000000000003",
        "Depth": 1,
        "InitiatingUserId": "dddddddd-0000-4000-8000-000000000004",
        "InputParameters": [pair("Target", target or entity(name="Contoso"))],
        "MessageName": "Update",
        "Mode": 1,
        "OperationCreatedOn": "/Date(1547259090000+0000)/",
        "OperationId": "eeeeeeee-0000-4000-8000-000000000005",
        "OrganizationId": "ffffffff-0000-4000-8000-000000000006",
        "OwningExtension": reference("sdkmessageprocessingstep", "99999999-0000-4000-8000-000000000007"),
        "ParentContext": None,
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": ROW,
        "PrimaryEntityName": "account",
        "RequestId": "88888888-0000-4000-8000-000000000008",
        "SharedVariables": [],
        "UserId": "77777777-0000-4000-8000-000000000009",
        **changed,
    }


def value_of(raw: Any, **changed: Any) -> Any:
    """What the reader makes of one column value."""
    return read(context(entity(it=raw), **changed)).values["it"]
