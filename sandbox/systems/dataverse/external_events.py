"""Messages by which another system says that rows of a virtual table have changed there; steps on them run.

Nothing is stored: the rows are the other system's. Source: "Enable Virtual Tables to support Dataverse events" in
Microsoft's documentation, which does not say what the primary row of such a message is; here it is the Target's.
"""

from aiohttp import web

from sandbox.systems.dataverse.addressing import Segment
from sandbox.systems.dataverse.body import read_columns, read_object, read_parameters
from sandbox.systems.dataverse.change import NO_ROW, Change
from sandbox.systems.dataverse.context import Contexts
from sandbox.systems.dataverse.definitions import NAMESPACE
from sandbox.systems.dataverse.errors import bad_request, no_such_segment, not_allowed, not_simulated
from sandbox.systems.dataverse.external_messages import SWITCHES, filter_of
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Store


class ExternalEvents:
    """Takes them."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService, contexts: Contexts) -> None:
        self._store, self._schema, self._service, self._contexts = store, schema, service, contexts

    def answer(self, operation: Operation, table: Table, segment: Segment) -> web.Response:
        """`POST <set>/Microsoft.Dynamics.CRM.OnExternalUpdated {"Target": {...}}`: 204."""
        call, message = operation.call, (segment.rest or "").removeprefix(NAMESPACE)
        if message == segment.rest or segment.rest is None:
            raise not_simulated("A virtual table in a batch")
        if segment.key is not None or message not in SWITCHES or not filter_of(table.name, message, self._store):
            raise no_such_segment(segment.rest)
        if call.method != "POST":
            raise not_allowed(call.method)
        target = read_parameters(message, read_object(call), {"Target": dict}, {})["Target"]
        if "@odata.type" not in target:
            raise bad_request(f"The Target of {message} needs the annotation @odata.type.", "0x80048d19")
        columns = read_columns(table, target, self._schema, self._store)
        row_id = columns.get(table.id_column) or NO_ROW
        parameters = (("Target", self._contexts.typed_entity(table, row_id, columns)),)
        change = Change(message, table, row_id, operation.info, sent=columns, target=columns, parameters=parameters)
        self._service.run(operation.unit, change)
        return web.Response(status=204)
