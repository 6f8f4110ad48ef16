"""Create, Update and Delete with what the platform adds: defaults, users, times, versions, and the steps they fire."""

from typing import Any

from sandbox.systems.dataverse import external_messages, specialised, values
from sandbox.systems.dataverse.access import Access
from sandbox.systems.dataverse.change import Change, RequestInfo
from sandbox.systems.dataverse.context import Step
from sandbox.systems.dataverse.custom_api_rules import TABLES as CUSTOM_API_TABLES
from sandbox.systems.dataverse.custom_api_rules import check_custom_api, going_with, make_message
from sandbox.systems.dataverse.derived import derived_columns
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.errors import ODataError, already_exists, key_violated, no_such_row, version_mismatch
from sandbox.systems.dataverse.jobs import Jobs
from sandbox.systems.dataverse.registration import REGISTRATION_TABLES, Registrations
from sandbox.systems.dataverse.registration_rules import check_delete, check_registration
from sandbox.systems.dataverse.roles import Roles
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.solutions import OF_ROWS, Solutions
from sandbox.systems.dataverse.store import KeyViolated, Row, Store, Values
from sandbox.systems.dataverse.unit_of_work import Unit

_OF_THE_PLATFORM = frozenset({"sdkmessage", "sdkmessagefilter", "solutioncomponent", "entity", "privilege"})


class OrganizationService:
    """All changes of rows go through this class, each in the unit of work of its request."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        environment: Environment,
        *,
        registrations: Registrations,
        jobs: Jobs,
        access: Access,
    ) -> None:
        self._store, self._schema, self._environment = store, schema, environment
        self._registrations, self._jobs, self.access = registrations, jobs, access
        self.roles = Roles(store, schema, environment, access)
        self._solutions = Solutions(store, schema)

    def create(
        self, unit: Unit, table: Table, sent: Values, request: RequestInfo, several: list[Change] | None = None
    ) -> Row:
        """Create a row; 412 if its primary key is taken. `several` collects the changes of one bulk message."""
        _check_message("Create", table)
        self.access.check(request.user, "Create", table)
        known = self._environment.known_user(sent.get("applicationid")) if table.name == "systemuser" else None
        row_id = str(sent.get(table.id_column) or known or unit.new_id())
        if self._store.get(table.name, row_id) is not None:
            raise already_exists()
        given = {name: value for name, value in sent.items() if table.columns[name].writable("Create")}
        target = self._defaults(table, request) | given | {table.id_column: row_id}
        self._settle_status(table, target, row_id)
        self._settle_owner(table, target)
        target |= derived_columns(table, target, target, self._store)
        target |= self._stamps(table, request, created=True)
        self._check(table, target, target)
        if table.name == "customapi":
            make_message(target, self._store)
        elif table.name == "systemuser":
            self.roles.user(sent, target)
        change = Change("Create", table, row_id, request, given | {table.id_column: row_id}, target, after=target)
        row = self._written(unit, change, several)
        if table.name == "role":
            self.roles.made(row_id)
        elif table.name == external_messages.METADATA:
            external_messages.settle(target, self._store)
        if table.name in OF_ROWS:
            self._solutions.made(request.solution, OF_ROWS[table.name], row_id)
        return row

    def update(
        self,
        unit: Unit,
        table: Table,
        row: Row,
        sent: Values,
        request: RequestInfo,
        *,
        several: list[Change] | None = None,
    ) -> Row:
        """Update a row that was just read; `row` is the state before, `several` as in `create`."""
        _check_message("Update", table)
        self.access.check(request.user, "Write", table)
        given = {name: value for name, value in sent.items() if table.columns[name].writable("Update")}
        given.pop(table.id_column, None)
        target = dict(given)
        self._settle_status(table, target, row.id, row)
        self._settle_owner(table, target)
        target[table.id_column] = row.id
        target |= derived_columns(table, row.values | target, target, self._store)
        target |= self._stamps(table, request, created=False)
        self._check(table, target, row.values | target, row)
        change = Change(
            "Update",
            table,
            row.id,
            request,
            sent=given | {table.id_column: row.id},
            target=target,
            before=row,
            after=row.values | target,
        )
        if table.name == external_messages.METADATA:
            external_messages.settle(row.values | target, self._store)
        written = self._written(unit, change, several)
        for each in specialised.beside(change):
            self.run(unit, each)
        return written

    def merge(  # noqa: PLR0917 -- called once, by the action
        self, unit: Unit, table: Table, master: Row, subordinate: Row, sent: Values, request: RequestInfo
    ) -> None:
        """Write `sent` to the master, and deactivate the subordinate, which fires no steps of its own."""
        self.access.check(request.user, "Write", table)
        target = {**sent, table.id_column: master.id, **self._stamps(table, request, created=False)}
        self._check(table, target, master.values | target)
        merged = {"merged": True, "masterid": {"table": table.name, "id": master.id}, "statecode": 1}
        self._settle_status(table, merged, subordinate.id, subordinate)
        merged |= self._stamps(table, request, created=False)
        unit.touch(table.name, subordinate.id)
        self._put(Change("Update", table, subordinate.id, request, after=subordinate.values | merged))
        change = Change(
            "Merge",
            table,
            master.id,
            request,
            sent=sent,
            target=target,
            before=master,
            after=master.values | target,
            subordinate_id=subordinate.id,
        )
        self._write(unit, change)

    def delete(
        self, unit: Unit, table: Table, row_id: str, request: RequestInfo, *, version: int | None = None
    ) -> None:
        """Delete a row; 404 if it is not there, 412 if `version` is no longer current."""
        _check_message("Delete", table)
        self.access.check(request.user, "Delete", table)
        row = self._store.get(table.name, row_id)
        if row is None:
            raise no_such_row(table.name, row_id)
        if version is not None and version != row.version:
            raise version_mismatch()
        dependent = check_delete(row, self._store) + going_with(row, self._store)
        for child in dependent:
            if child.table in _OF_THE_PLATFORM:
                self._store.remove(child.table, child.id)
            else:
                self.delete(unit, self._schema[child.table], child.id, request)
        self._write(unit, Change("Delete", table, row_id, request, before=row))
        if table.name in {"role", "systemuser"}:
            self.roles.forget(row)
        if table.name in OF_ROWS:
            self._solutions.forget(row_id)

    def run(self, unit: Unit, change: Change) -> None:
        """Run the steps on a message that changes no row of its own: the call of a custom API."""
        self._run_afterwards(unit, change, self._run_before(unit, change))

    def announce(self, unit: Unit, changes: list[Change]) -> None:
        """Run the steps on CreateMultiple and UpdateMultiple, which see changes of one message together."""
        for message in ("Create", "Update"):
            rows = tuple(change for change in changes if change.message == message)
            if rows:
                self.run(unit, Change.multiple(rows))

    def _written(self, unit: Unit, change: Change, several: list[Change] | None) -> Row:
        """Write; the steps on messages for several rows run for one row too, as their pipelines are merged."""
        row = self._write(unit, change)
        if several is None:
            self.announce(unit, [change])
        else:
            several.append(change)
        return row

    def _write(self, unit: Unit, change: Change) -> Row:
        """Note the synchronous steps, write, and store a job for each asynchronous one."""
        unit.touch(change.table.name, change.row_id)
        steps = self._run_before(unit, change)
        row = self._put(change)
        self._run_afterwards(unit, change, steps)
        return row

    def _run_before(self, unit: Unit, change: Change) -> list[Step]:
        steps = self._registrations.fired_by(change) if change.table.has_events else []
        for step in steps:
            if not step.asynchronous:
                unit.fire(change, step)
        return steps

    def _run_afterwards(self, unit: Unit, change: Change, steps: list[Step]) -> None:
        unit.jobs += [self._jobs.store(change, step) for step in steps if step.asynchronous]

    def _put(self, change: Change) -> Row:
        if change.after is None:
            self._store.remove(change.table.name, change.row_id)
            return Row(change.table.name, change.row_id, self._store.version(), {})
        try:
            return self._store.put(change.table.name, change.row_id, change.after)
        except KeyViolated as violated:
            columns = str(violated).rpartition(":")[2].rstrip("'")
            raise key_violated(change.table.name, columns) from violated

    def _defaults(self, table: Table, request: RequestInfo) -> Values:
        defaults = {column.name: _default(column) for column in table.columns.values()}
        given = {name: value for name, value in defaults.items() if value is not None}
        if table.user_owned:
            given["ownerid"] = {"table": "systemuser", "id": request.user.user_id}
            given["owningbusinessunit"] = {"table": "businessunit", "id": self._environment.business_unit_id}
        return given

    def _settle_status(self, table: Table, target: Values, row_id: str, row: Row | None = None) -> None:
        """A new state sets its first status reason; a status reason of another state is refused."""
        if "statecode" not in table.columns or not {"statecode", "statuscode"} & target.keys():
            if row is None and "statecode" in table.columns:
                target |= {"statecode": 0, "statuscode": _first_status(table, 0)}
            return
        target.setdefault("statecode", row.values["statecode"] if row else 0)
        state: int = target["statecode"]
        target.setdefault("statuscode", _first_status(table, state))
        reason: int = target["statuscode"]
        if table.columns["statuscode"].states[reason] != state:
            label = table.columns["statecode"].options[state]
            raise ODataError(
                400,
                "0x80048408",
                f"{reason} is not a valid status code for state code {table.definition['SchemaName']}State.{label} "
                f"on {table.name} with Id {row_id}.",
            )

    def _settle_owner(self, table: Table, target: Values) -> None:
        if table.user_owned and "ownerid" in target:
            owner = target["ownerid"]
            target["owninguser"] = owner if owner["table"] == "systemuser" else None

    def _stamps(self, table: Table, request: RequestInfo, *, created: bool) -> Values:
        """Who did it and when, where the table has columns for that."""
        stamps = self._all_stamps(request, created=created)
        return {name: value for name, value in stamps.items() if name in table.columns}

    def _all_stamps(self, request: RequestInfo, *, created: bool) -> Values:
        user, at = {"table": "systemuser", "id": request.user.user_id}, values.now()
        delegate = {"table": "systemuser", "id": request.on_behalf_by} if request.on_behalf_by else None
        stamps: Values = {"modifiedon": at, "modifiedby": user, "modifiedonbehalfby": delegate}
        if not created:
            return stamps
        by_delegate = {"createdonbehalfby": delegate} if delegate else {}  # captured bodies do not have it as null
        return {"createdon": at, "createdby": user} | by_delegate | stamps

    def _check(self, table: Table, target: Values, whole: Values, before: Row | None = None) -> None:
        for name, value in target.items():
            if value is not None and table.columns[name].is_lookup and not self._exists(value):
                raise no_such_row(value["table"], value["id"])
        if table.name in REGISTRATION_TABLES:
            check_registration(table, whole, self._store, self._schema)
        if table.name in CUSTOM_API_TABLES:
            check_custom_api(table, whole, before, self._store)

    def _exists(self, reference: dict[str, str]) -> bool:
        return self._store.get(reference["table"], reference["id"]) is not None


def _check_message(message: str, table: Table) -> None:
    """400 for what only the platform itself writes."""
    if table.name in _OF_THE_PLATFORM:
        said = f"The '{message}' method does not support entities of type '{table.name}'."
        raise ODataError(400, "0x80040800", said)


def _default(column: Column) -> Any:
    default = column.definition.get("DefaultFormValue")
    return column.definition.get("DefaultValue") if default is None else default


def _first_status(table: Table, state: int) -> int:
    states = table.columns["statuscode"].states
    return next(reason for reason, of_state in states.items() if of_state == state)
