"""Actions of the Web API: closing opportunities, as people do it in the app.

A real environment refuses to close an opportunity by PATCH (0x80100005: use the Win or Lose message); the stand-in
takes that as well, so that tests can set any state. Closing fires the registered Update steps of the opportunity, and
those on the message Win or Lose, which name it inside the activity that closes it. That both come is what users report.
"""

from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.addressing import reference
from sandbox.systems.dataverse.body import read_object, read_parameters
from sandbox.systems.dataverse.change import NO_ROW, Change
from sandbox.systems.dataverse.context import Contexts
from sandbox.systems.dataverse.errors import ODataError, undeclared_property
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Store, Values
from sandbox.systems.dataverse.values import now, read

OPEN = 0
CLOSING = {"WinOpportunity": 1, "LoseOpportunity": 2}
MESSAGES = {"WinOpportunity": "Win", "LoseOpportunity": "Lose"}
TABLE = "opportunity"
"""The one whose rows are closed by these messages."""
DEFAULT_STATUS = -1
_CLOSE = Table.load(
    {
        "LogicalName": "opportunityclose",
        "EntitySetName": "opportunitycloses",
        "SchemaName": "OpportunityClose",
        "PrimaryIdAttribute": "activityid",
        "PrimaryNameAttribute": "subject",
        "OwnershipType": "UserOwned",
        "IsOptimisticConcurrencyEnabled": False,
        "ChangeTrackingEnabled": False,
        "Attributes": [
            {"LogicalName": "opportunityid", "AttributeType": "Lookup", "Targets": [TABLE]},
            {"LogicalName": "actualrevenue", "AttributeType": "Money", "Precision": 4},
            {"LogicalName": "actualend", "AttributeType": "DateTime"},
            {"LogicalName": "subject", "AttributeType": "String", "MaxLength": 200},
            {"LogicalName": "description", "AttributeType": "Memo", "MaxLength": 2000},
        ],
        "Keys": [],
    }
)
"""The activity as contexts have it; it is not kept."""
_STATUS = Column.load({"LogicalName": "Status", "AttributeType": "Status"})
_ACTIVITY = frozenset({"opportunityid@odata.bind", "actualrevenue", "actualend", "subject", "description"})


class Actions:
    """WinOpportunity and LoseOpportunity; the opportunityclose activity itself is not kept."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService, contexts: Contexts) -> None:
        self._store, self._schema, self._service, self._contexts = store, schema, service, contexts

    def close_opportunity(self, operation: Operation, action: str) -> web.Response:
        """`{"Status", "OpportunityClose": {"opportunityid@odata.bind", "actualrevenue", "actualend"}}` -> 204."""
        body = read_object(operation.call)
        activity = read_parameters(action, body, {"Status": int, "OpportunityClose": dict}, {})["OpportunityClose"]
        for name in activity:
            if name not in _ACTIVITY and not name.startswith("@"):
                raise undeclared_property(name, "opportunityclose")
        table = self._schema["opportunity"]
        lookup = reference("opportunity", activity.get("opportunityid@odata.bind"), self._schema, self._store)
        row = self._store.get("opportunity", lookup["id"])
        if row is None or row.values["statecode"] != OPEN:
            raise ODataError(400, "0x80040515", "The opportunity is already closed.")
        sent: Values = {"statecode": CLOSING[action]}
        if body["Status"] != DEFAULT_STATUS:
            sent["statuscode"] = read("opportunity", table.columns["statuscode"], body["Status"])
        sent |= self._outcome(activity, row.values)
        self._service.update(operation.unit, table, row, sent, operation.info)
        parameters = self._parameters(activity, lookup, body["Status"])
        change = Change(MESSAGES[action], table, NO_ROW, operation.info, parameters=parameters)
        self._service.run(operation.unit, change)
        return web.Response(status=204)

    def _parameters(
        self, activity: dict[str, Any], opportunity: dict[str, str], status: int
    ) -> tuple[tuple[str, Any], ...]:
        """Those of Win and Lose: the activity, and the status reason."""
        columns: Values = {
            name: read(_CLOSE.name, _CLOSE.columns[name], value)
            for name, value in activity.items()
            if name in _CLOSE.columns
        }
        close = self._contexts.typed_entity(_CLOSE, NO_ROW, {"opportunityid": opportunity, **columns})
        return ("OpportunityClose", close), ("Status", self._contexts.value(_STATUS, status))

    def _outcome(self, activity: dict[str, Any], before: Values) -> Values:
        columns = self._schema["opportunity"].columns
        revenue = read("opportunity", columns["actualvalue"], activity.get("actualrevenue"))
        ended = read("opportunity", columns["actualclosedate"], activity.get("actualend") or now())
        return {"actualvalue": revenue or before.get("estimatedvalue"), "actualclosedate": ended}
