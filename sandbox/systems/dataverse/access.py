"""What the security roles of a user permit.

Source: "Security roles and privileges" in Microsoft's documentation; the words of a refusal are those that users
report. A user with the role System Administrator may do everything. The environment has
one business unit, so every depth but that of the user's own rows reaches all rows.
"""

from dataclasses import replace

from sandbox.systems.dataverse.definitions import entity_code
from sandbox.systems.dataverse.environment import Client, Environment
from sandbox.systems.dataverse.errors import ODataError, privilege_denied
from sandbox.systems.dataverse.privileges import Privilege, privileges_of
from sandbox.systems.dataverse.schema import Table
from sandbox.systems.dataverse.store import Store, Values

ADMINISTRATOR = "52000000-0000-4000-8000-000000000001"
"""The id of the role System Administrator."""
ROLES_OF_USERS, PRIVILEGES_OF_ROLES = "systemuserroles", "roleprivileges"
"""Tables in which it is stored who has which role, and what each role permits."""


class Access:
    """Answers whether a user may do something; what was read is kept until roles change."""

    def __init__(self, store: Store, environment: Environment) -> None:
        self._store, self._environment = store, environment
        self._members: dict[str, Client] = {}
        self._granted: dict[str, frozenset[str] | None] = {}

    def changed(self) -> None:
        """Roles, users, or what a user has were written."""
        self._members.clear()
        self._granted.clear()

    def member(self, client: Client) -> Client:
        """The user that signs in with a client; 403 for an application that is no user of the environment."""
        if client.client_id != self._environment.application.client_id:
            return client
        if client.client_id not in self._members:
            row = self._store.find("systemuser", {"applicationid": client.client_id})
            if row is None:
                raise ODataError(403, "0x80072560", "The user is not a member of the organization.")
            if row.values.get("isdisabled"):
                said = f"The specified user(Id = {row.id}) is disabled. Consider enabling this user."
                raise ODataError(403, "0x80040225", said)
            self._members[client.client_id] = replace(client, user_id=row.id)
        return self._members[client.client_id]

    def check(self, user: Client, kind: str, table: Table) -> None:
        """403 where the user lacks the privilege of this kind on a table."""
        privilege = privileges_of(table).get(kind)
        if privilege is not None:
            self._check(user, privilege, f" on OTC={entity_code(table)} for entity '{table.name}'")

    def check_named(self, user: Client, name: str) -> None:
        """403 where the user lacks a privilege that is named."""
        self._check(user, Privilege(name, 0, of_owned_rows=False), "")

    def is_administrator(self, user: Client) -> bool:
        """Whether the user may do everything."""
        return self._granted_to(user) is None

    def of_role(self, role_id: str) -> dict[str, Values]:
        """What a role permits: rows by the names of the privileges."""
        rows = self._store.rows(PRIVILEGES_OF_ROLES)
        return {row.values["name"]: row.values for row in rows if row.values["roleid"] == role_id}

    def roles_of(self, user_id: str) -> list[str]:
        """The ids of a user's roles."""
        rows = self._store.rows(ROLES_OF_USERS)
        return [row.values["roleid"] for row in rows if row.values["systemuserid"] == user_id]

    def _check(self, user: Client, privilege: Privilege, where: str) -> None:
        granted = self._granted_to(user)
        if granted is None or privilege.name in granted:
            return
        counts = f"roleCount={len(self.roles_of(user.user_id))}, privilegeCount={len(granted)}, accessMode=4"
        said = f"Principal user (Id={user.user_id}, type=8, {counts}), is missing {privilege.name} privilege"
        raise privilege_denied(f"{said} (Id={privilege.id}){where}. context.Caller={user.user_id}")

    def _granted_to(self, user: Client) -> frozenset[str] | None:
        """The names of a user's privileges; None for all."""
        if user.user_id not in self._granted:
            roles = self.roles_of(user.user_id)
            names: frozenset[str] = frozenset(name for role in roles for name in self.of_role(role))
            self._granted[user.user_id] = None if ADMINISTRATOR in roles else names
        return self._granted[user.user_id]
