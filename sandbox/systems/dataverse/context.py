"""RemoteExecutionContext: the body that a registered step sends, in the shape captured from real environments."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.schema import Column, Table
from sandbox.systems.dataverse.specialised import ASSIGN, SET_STATE
from sandbox.systems.dataverse.store import Values

CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
OBJECT_MODEL_STEP = "ffc9bb1b-ea3e-db11-86a7-000a3a5473e8"
POST_OPERATION, MAIN_OPERATION = 40, 30
PRE_IMAGE, POST_IMAGE, BOTH_IMAGES = 0, 1, 2
_PRE_NAMED = frozenset({"Delete", ASSIGN})
"""Messages whose asynchronous steps get the name of the row as it was."""
_WIRE_CHOICES = frozenset({"Picklist", "State", "Status"})

NameOf = Callable[[dict[str, str]], str | None]
"""Finds the primary name of the row that a lookup refers to."""


@dataclass(frozen=True)
class Image:
    """A registered image; no `columns` means all."""

    alias: str
    kind: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A registered step with the webhook it calls."""

    id: str
    name: str
    message: str
    table: str | None
    asynchronous: bool
    stage: int
    rank: int
    filtering: frozenset[str]
    auto_delete: bool
    endpoint_id: str
    images: tuple[Image, ...]


class Contexts:
    """Builds contexts for one organisation."""

    def __init__(self, environment: Environment, name_of: NameOf) -> None:
        self._environment, self._name_of = environment, name_of

    def build(self, change: Change, step: Step, operation_id: str, at: datetime) -> dict[str, Any]:
        """The context of `change` for `step`; `operation_id` is the system job of an asynchronous step.

        A synchronous step has the request's id for its operation, milliseconds and its own name; an asynchronous one
        whole seconds with an offset and no name.
        """
        context = self._frame(change, step, operation_id, at)
        context["InputParameters"] = self._input(change)
        if step.stage == POST_OPERATION:
            context["OutputParameters"] = _output(change)
        context["ParentContext"] = self._parent(change, step, operation_id, at)
        context["PreEntityImages"] = self._images(change, step, PRE_IMAGE)
        if step.stage == POST_OPERATION:
            context["PostEntityImages"] = self._images(change, step, POST_IMAGE)
        context["SharedVariables"] = _shared_variables(change)
        context["Stage"] = step.stage
        return dict(sorted(context.items()))

    def _parent(self, change: Change, step: Step, operation_id: str, at: datetime) -> dict[str, Any]:
        parent = self._frame(change, step, operation_id, at)
        parent["InputParameters"] = self._input(change, sent=True)
        if change.message == "Update":
            parent["InputParameters"].append({"key": "SuppressDuplicateDetection", "value": False})
        if not step.asynchronous:
            parent["OwningExtension"] |= {"Id": OBJECT_MODEL_STEP, "Name": "ObjectModel Implementation"}
        changed = {"__type": "KeyValuePairOfstringstring:#System.Collections.Generic", "key": change.table.name}
        types = {"key": "ChangedEntityTypes", "value": [changed | {"value": "Update"}]}
        parent["SharedVariables"] = [*_shared_variables(change), types]
        parent["Stage"] = MAIN_OPERATION
        return dict(sorted(parent.items()))

    def _frame(self, change: Change, step: Step, operation_id: str, at: datetime) -> dict[str, Any]:
        asynchronous, request, environment = step.asynchronous, change.request, self._environment
        return {
            "BusinessUnitId": environment.business_unit_id,
            "CorrelationId": request.ids.correlation,
            "Depth": 1,
            "InitiatingUserAgent": "",
            "InitiatingUserAzureActiveDirectoryObjectId": request.user.object_id,
            "InitiatingUserId": request.user.user_id,
            "InputParameters": [],
            "IsExecutingOffline": False,
            "IsInTransaction": not asynchronous,
            "IsOfflinePlayback": False,
            "IsolationMode": 1,
            "MessageName": change.message,
            "Mode": int(asynchronous),
            "OperationCreatedOn": wire_time(at, offset="+0000") if asynchronous else wire_time(at),
            "OperationId": operation_id,
            "OrganizationId": environment.organisation_id,
            "OrganizationName": environment.organisation_name,
            "OutputParameters": [],
            "OwningExtension": _reference_fields(
                "sdkmessageprocessingstep", step.id, None if asynchronous else step.name
            ),
            "ParentContext": None,
            "PostEntityImages": [],
            "PreEntityImages": [],
            "PrimaryEntityId": change.row_id,
            "PrimaryEntityName": change.table.name,
            "RequestId": request.ids.request,
            "SecondaryEntityName": "none",
            "SharedVariables": [],
            "Stage": step.stage,
            "UserAzureActiveDirectoryObjectId": request.user.object_id,
            "UserId": request.user.user_id,
        }

    def typed_entity(self, table: Table, row_id: str, columns: Values) -> dict[str, Any]:
        """A row as the parameter of a custom API has it."""
        return _typed("Entity", self._entity(table, row_id, columns, named=False) | {"FormattedValues": []})

    def reference(self, table: Table, row_id: str) -> dict[str, Any]:
        """A reference to a row, as such a parameter."""
        return _typed("EntityReference", _reference_fields(table.name, row_id, None))

    def collection(self, rows: list[tuple[Table, str, Values]]) -> dict[str, Any]:
        """Rows of one table, as such a parameter."""
        entities = [self._entity(*row, named=False) | {"FormattedValues": []} for row in rows]
        return _collection(rows[0][0].name if rows else None, entities)

    def value(self, column: Column, value: Any) -> Any:
        """A stored value of a simple type, as such a parameter."""
        return self._wire_value(column, value, named=False)

    def _input(self, change: Change, *, sent: bool = False) -> list[dict[str, Any]]:
        if change.parameters is not None:
            return [{"key": name, "value": value} for name, value in change.parameters]
        if change.message == "Merge":
            return self._merged(change)
        if change.message == ASSIGN:
            return self._assigned(change)
        if change.message in SET_STATE:
            return self._state_set(change)
        return [self._targets(change, sent=sent)]

    def _merged(self, change: Change) -> list[dict[str, Any]]:
        """The parameters of a Merge: the master alone is a Target."""
        content = self._entity(change.table, change.row_id, change.sent, named=False)
        return [
            {"key": "Target", "value": self._target_entity(change, {})},
            {"key": "SubordinateId", "value": change.subordinate_id},
            {"key": "UpdateContent", "value": _typed("Entity", content)},
            {"key": "PerformParentingChecks", "value": False},
        ]

    def _assigned(self, change: Change) -> list[dict[str, Any]]:
        owner = change.sent["ownerid"]
        return [
            {"key": "Target", "value": self.reference(change.table, change.row_id)},
            {
                "key": "Assignee",
                "value": _typed("EntityReference", _reference_fields(owner["table"], owner["id"], None)),
            },
        ]

    def _state_set(self, change: Change) -> list[dict[str, Any]]:
        columns, sent = change.table.columns, change.target
        return [
            {"key": "EntityMoniker", "value": self.reference(change.table, change.row_id)},
            {"key": "State", "value": self.value(columns["statecode"], sent["statecode"])},
            {"key": "Status", "value": self.value(columns["statuscode"], sent["statuscode"])},
        ]

    def _targets(self, change: Change, *, sent: bool = False) -> dict[str, Any]:
        """The parameter Target or Targets; `sent` has the columns of the request alone.

        Targets are an EntityCollection ("Write plug-ins for CreateMultiple and UpdateMultiple" in Microsoft's
        documentation) in the shape that captures have it. Their images are documented for plug-ins alone, so a step
        that posts has none.
        """
        if not change.rows:
            columns = change.sent if sent else change.target
            return {"key": "Target", "value": self._target_entity(change, columns, bare=sent)}
        entities = [
            {
                name: value
                for name, value in self._target_entity(row, row.sent if sent else row.target, bare=sent).items()
                if name != "__type"
            }
            for row in change.rows
        ]
        return {"key": "Targets", "value": _collection(change.table.name, entities)}

    def _target_entity(self, change: Change, columns: Values, *, bare: bool = False) -> dict[str, Any]:
        if change.message in {"Delete", "Merge"}:
            return _typed("EntityReference", _reference_fields(change.table.name, change.row_id, None))
        entity = self._entity(change.table, change.row_id, columns, named=False)
        if bare or change.message == "Update":
            entity["FormattedValues"] = []
        return _typed("Entity", entity)

    def _images(self, change: Change, step: Step, kind: int) -> list[dict[str, Any]]:
        if change.rows or change.parameters is not None:
            return []
        before = change.before.values if change.before else None
        whole = before if kind == PRE_IMAGE else change.after
        if whole is None:
            return []
        images = [
            {"key": image.alias, "value": self._image(change, whole, image.columns)}
            for image in step.images
            if image.kind in {kind, BOTH_IMAGES}
        ]
        if step.asynchronous and kind == (PRE_IMAGE if change.message in _PRE_NAMED else POST_IMAGE):
            name = self._image(change, whole, (change.table.name_column,))
            images.append({"key": "AsynchronousStepPrimaryName", "value": name | {"FormattedValues": []}})
        return images

    def _image(self, change: Change, whole: Values, columns: tuple[str, ...]) -> dict[str, Any]:
        chosen = columns or tuple(whole)
        kept = {name: whole[name] for name in chosen if whole.get(name) is not None}
        kept[change.table.id_column] = change.row_id
        return self._entity(change.table, change.row_id, kept, named=True)

    def _entity(self, table: Table, row_id: str, columns: Values, *, named: bool) -> dict[str, Any]:
        known = [(table.columns[name], value) for name, value in columns.items()]
        return {
            "Attributes": [{"key": c.name, "value": self._wire_value(c, v, named=named)} for c, v in known],
            "EntityState": None,
            "FormattedValues": [
                {"key": c.name, "value": self._formatted(c, v, named=named)} for c, v in known if _is_formatted(c, v)
            ],
            "Id": row_id,
            "KeyAttributes": [],
            "LogicalName": table.name,
            "RelatedEntities": [],
            "RowVersion": None,
        }

    def _wire_value(self, column: Column, value: Any, *, named: bool) -> Any:
        if value is None:
            return None
        if column.is_lookup:
            name = self._name_of(value) if named else None
            return _typed("EntityReference", _reference_fields(value["table"], value["id"], name))
        if column.type in _WIRE_CHOICES:
            return _typed("OptionSetValue", {"Value": value})
        if column.type == "Money":
            return _typed("Money", {"Value": Decimal(value)})
        if column.type == "DateTime":
            time = datetime.fromisoformat(value)
            return wire_time(time if time.tzinfo else time.replace(tzinfo=UTC))
        return Decimal(value) if column.type in {"Decimal", "Double"} else value

    def _formatted(self, column: Column, value: Any, *, named: bool) -> str | None:
        if column.is_lookup:
            return self._name_of(value) if named else None
        if column.type == "DateTime" and not column.date_only:
            return str(value).replace("Z", "+00:00")
        return values.formatted(column, value)


def wire_time(at: datetime, *, offset: str = "") -> str:
    """`/Date(ms)/`; the milliseconds are UTC whatever the offset says."""
    milliseconds = int(at.timestamp() * 1000)
    if offset:
        milliseconds = milliseconds // 1000 * 1000
    return f"/Date({milliseconds}{offset})/"


def _is_formatted(column: Column, value: Any) -> bool:
    return value is not None and (column.is_lookup or values.formatted(column, value) is not None)


def _collection(name: str | None, entities: list[dict[str, Any]]) -> dict[str, Any]:
    fields = {
        "Entities": entities,
        "EntityName": name,
        "MinActiveRowVersion": None,
        "MoreRecords": False,
        "PagingCookie": None,
        "TotalRecordCount": 0,
        "TotalRecordCountLimitExceeded": False,
    }
    return _typed("EntityCollection", fields)


def _output(change: Change) -> list[dict[str, Any]]:
    if change.message == "Create":
        return [{"key": "id", "value": change.row_id}]
    if change.message == "CreateMultiple":
        return [{"key": "Ids", "value": [row.row_id for row in change.rows]}]
    return []


def _typed(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"__type": f"{name}:{CONTRACTS}", **fields}


def _reference_fields(table: str, row_id: str, name: str | None) -> dict[str, Any]:
    return {"Id": row_id, "KeyAttributes": [], "LogicalName": table, "Name": name, "RowVersion": None}


def _shared_variables(change: Change) -> list[dict[str, Any]]:
    shared: list[dict[str, Any]] = [{"key": "IsAutoTransact", "value": True}]
    if change.request.tag is not None:
        shared.append({"key": "tag", "value": change.request.tag})
    if change.message in {"Create", "CreateMultiple"}:
        shared.append({"key": "DefaultsAddedFlag", "value": True})
    return shared
