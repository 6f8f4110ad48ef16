"""Security roles: what they permit, and which users have them.

Sources: AddPrivilegesRole, ReplacePrivilegesRole, RemovePrivilegeRole, RetrieveRolePrivilegesRole and "Associate and
disassociate table rows using the Web API" in Microsoft's documentation. Users report what it does not say: a new role
has nine privileges that nobody has given it, AddPrivilegesRole brings four of them back, and ReplacePrivilegesRole
leaves these four.
"""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.access import ADMINISTRATOR, PRIVILEGES_OF_ROLES, ROLES_OF_USERS, Access
from sandbox.systems.dataverse.addressing import Segment, path_address, reference
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_object, read_parameters
from sandbox.systems.dataverse.collection import Collections
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.errors import bad_request, invalid_argument, no_such_row, not_allowed, not_simulated
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.privileges import DEPTHS, OF_NEW_ROLES, OF_SHAREPOINT, Privilege
from sandbox.systems.dataverse.query import Preferences
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.store import Row, Store, Values

ACTIONS = frozenset({"AddPrivilegesRole", "ReplacePrivilegesRole", "RemovePrivilegeRole"})
"""Actions bound to a role."""
_USERS, _PRIVILEGES = "systemuserroles_association", "roleprivileges_association"
COLLECTIONS = {"systemuser": {_USERS: "role"}, "role": {_PRIVILEGES: "privilege", _USERS: "systemuser"}}
"""Many-to-many relationships: the collection-valued navigation properties of a table, and what they lead to."""
_MASKS = {depth: 2**number for number, depth in enumerate(DEPTHS)}


class Roles:
    """Answers for roles, and keeps what belongs to them."""

    def __init__(self, store: Store, schema: Schema, environment: Environment, access: Access) -> None:
        self._store, self._schema, self._environment, self._access = store, schema, environment, access

    def made(self, role_id: str) -> None:
        """A new role has the privileges that the platform gives it."""
        self._give(role_id, dict.fromkeys((*OF_NEW_ROLES, *OF_SHAREPOINT), "Global"))

    def forget(self, row: Row) -> None:
        """A role or a user was deleted."""
        column = {"role": "roleid", "systemuser": "systemuserid"}[row.table]
        for table in (ROLES_OF_USERS, PRIVILEGES_OF_ROLES):
            for each in self._store.rows(table):
                if each.values.get(column) == row.id:
                    self._store.remove(table, each.id)
        self._access.changed()

    def user(self, sent: Values, target: Values) -> None:
        """What the platform adds to a new application user; 400 for an application that the tenant does not have."""
        application = self._environment.application
        if sent.get("applicationid") is None:
            raise not_simulated("A user who is no application")
        if sent["applicationid"] != application.client_id:
            raise invalid_argument(f"The application {sent['applicationid']} was not found in the tenant.")
        target |= {"fullname": "# Integration", "accessmode": 4, "azureactivedirectoryobjectid": application.object_id}

    def act(self, operation: Operation, role: Row, action: str) -> web.Response:
        """204 for an action bound to a role."""
        if operation.call.method != "POST":
            raise not_allowed(operation.call.method)
        if role.id == ADMINISTRATOR:
            raise invalid_argument("The System Administrator role cannot be modified.")
        body = read_object(operation.call)
        if action == "RemovePrivilegeRole":
            given = read_parameters(action, body, {"Privilege": dict}, {})
            self._take(role.id, [self._privilege(given["Privilege"].get("privilegeid")).name])
        else:
            depths = self._depths(read_parameters(action, body, {"Privileges": list}, {})["Privileges"])
            if action == "ReplacePrivilegesRole":
                self._take(role.id, self._access.of_role(role.id).keys() - {*OF_SHAREPOINT})
            else:
                depths = dict.fromkeys(OF_SHAREPOINT, "Global") | depths
            self._give(role.id, depths)
        return web.Response(status=204)

    def privileges(self, role_id: str) -> dict[str, Any]:
        """RetrieveRolePrivilegesRole."""
        if self._store.get("role", role_id) is None:
            raise no_such_row("role", role_id)
        found = [
            {
                "Depth": values["depth"],
                "PrivilegeId": values["privilegeid"],
                "BusinessUnitId": self._environment.business_unit_id,
                "PrivilegeName": name,
                "RecordFilterId": "00000000-0000-0000-0000-000000000000",
                "RecordFilterUniqueName": None,
            }
            for name, values in sorted(self._access.of_role(role_id).items())
        ]
        return {"RolePrivileges": found}

    def related(self, operation: Operation, owner: Row, part: Segment, collections: Collections) -> web.Response:
        """`systemusers(...)/systemuserroles_association`: the rows, or `$ref` to add or remove one."""
        call = operation.call
        target = self._schema[COLLECTIONS[owner.table][part.name]]
        if call.method == "GET" and part.key is None and part.rest in {None, "$count"}:
            among = [row for each in self._ids(owner, part.name) if (row := self._store.get(target.name, each))]
            if part.rest is not None:
                return web.Response(text=str(collections.count(target, call, among=among)))
            return Preferences.read(call.headers).applied(json_answer(collections.page(target, call, among=among)))
        if owner.table != "systemuser":
            raise not_simulated(f"Changing {part.name} of a role")
        if call.method == "POST" and part.rest == "$ref" and part.key is None:
            self._assign(owner, reference("role", read_object(call).get("@odata.id"), self._schema, self._store)["id"])
        elif call.method == "DELETE" and part.rest == "$ref":
            self._withdraw(owner, self._named(operation, part.key))
        else:
            raise not_allowed(call.method)
        self._access.changed()
        return web.Response(status=204)

    def assign(self, user_id: str, role_id: str) -> None:
        """Give a user a role."""
        values = {"systemuserid": user_id, "roleid": role_id}
        self._store.put(ROLES_OF_USERS, f"{user_id}/{role_id}", values)
        self._access.changed()

    def _assign(self, user: Row, role_id: str) -> None:
        if role_id in self._access.roles_of(user.id):
            raise bad_request("Cannot insert duplicate key.", "0x80040237")
        self.assign(user.id, role_id)

    def _withdraw(self, user: Row, role_id: str) -> None:
        self._store.remove(ROLES_OF_USERS, f"{user.id}/{role_id}")

    def _named(self, operation: Operation, key: str | None) -> str:
        if key is not None:
            return path_address(self._schema["role"], key).require(self._store).id
        uri = operation.call.query.get("$id")
        if uri is None:
            raise bad_request("The reference to delete is named in parentheses or with the query option $id.")
        return reference("role", uri, self._schema, self._store)["id"]

    def _ids(self, owner: Row, name: str) -> list[str]:
        if owner.table == "systemuser":
            return self._access.roles_of(owner.id)
        if name == _PRIVILEGES:
            return [values["privilegeid"] for values in self._access.of_role(owner.id).values()]
        rows = self._store.rows(ROLES_OF_USERS)
        return [row.values["systemuserid"] for row in rows if row.values["roleid"] == owner.id]

    def _depths(self, given: list[Any]) -> dict[str, str]:
        depths: dict[str, str] = {}
        for each in given:
            if not isinstance(each, dict) or each.get("Depth") not in DEPTHS:
                raise bad_request("Every item of Privileges has a Depth and a PrivilegeId.", "0x80048d19")
            row = self._privilege(each.get("PrivilegeId"))
            if each["Depth"] == "Basic":
                raise not_simulated("The depth Basic, which reaches the user's own rows,")
            if not row.may_have(each["Depth"]):
                raise invalid_argument(f"The privilege {row.name} does not support the depth {each['Depth']}.")
            depths[row.name] = each["Depth"]
        return depths

    def _privilege(self, privilege_id: Any) -> Privilege:
        row = self._store.get("privilege", str(privilege_id).lower())
        if row is None:
            raise no_such_row("privilege", str(privilege_id))
        return Privilege(row.values["name"], row.values["accessright"], bool(row.values["canbebasic"]))

    def _give(self, role_id: str, depths: dict[str, str]) -> None:
        for name, depth in depths.items():
            privilege_id = Privilege(name, 0, of_owned_rows=True).id
            values = {"roleid": role_id, "name": name, "privilegeid": privilege_id, "depth": depth}
            self._store.put(PRIVILEGES_OF_ROLES, f"{role_id}/{name}", values | {"privilegedepthmask": _MASKS[depth]})
        self._access.changed()

    def _take(self, role_id: str, names: Iterable[str]) -> None:
        for name in names:
            self._store.remove(PRIVILEGES_OF_ROLES, f"{role_id}/{name}")
        self._access.changed()
