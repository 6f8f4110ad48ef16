"""Writes the app's user and its role.

What the platform gives a new role by itself is taken away again, as users report that it cannot be kept from doing so:
ReplacePrivilegesRole leaves privileges for SharePoint, which only RemovePrivilegeRole takes.
"""

from collections.abc import Mapping
from typing import Any

from integration.errors import ConfigurationError, Permanent
from integration.odata import query
from integration.registration.items import Item, State
from integration.registration.privileges import as_listed
from integration.registration.web_api import WebApi

_BY_A_PERSON = (
    "Somebody with the role System Administrator does it in the Power Platform admin center: Environments, Settings, "
    "Users + permissions, Application users, New app user, with the application {application} and the business unit at "
    "the top. Then apply again, which gives the user its role."
)


class AccessApplying:
    """Writes through `api`; `state` has the ids of privileges and of the business unit."""

    def __init__(self, api: WebApi, state: State) -> None:
        self._api, self._state = api, state

    async def grant(self, role_id: str, wanted: list[str]) -> None:
        """Give a role these privileges, and no others."""
        known = {
            as_listed(it.name, depth): {
                "Depth": depth,
                "PrivilegeId": it.id,
                "BusinessUnitId": self._state.business_unit,
            }
            for it in self._state.privileges.values()
            for depth in it.depths
        }
        given = await self._given(role_id)
        if not given.keys() >= set(wanted):
            await self._act(role_id, "ReplacePrivilegesRole", {"Privileges": [known[name] for name in wanted]})
            given = await self._given(role_id)
        for name in sorted(given.keys() - set(wanted)):
            privilege = {"@odata.type": "Microsoft.Dynamics.CRM.privilege", "privilegeid": given[name]}
            await self._act(role_id, "RemovePrivilegeRole", {"Privilege": privilege})

    async def _given(self, role_id: str) -> dict[str, str]:
        """The ids of a role's privileges, as a plan lists them."""
        answer = await self._api.get(f"RetrieveRolePrivilegesRole(RoleId={role_id})")
        return {as_listed(it["PrivilegeName"], it["Depth"]): it["PrivilegeId"] for it in answer["RolePrivileges"]}

    async def _act(self, role_id: str, action: str, body: Mapping[str, Any]) -> None:
        await self._api.post(f"roles({role_id})/Microsoft.Dynamics.CRM.{action}", body)

    async def user(self, item: Item) -> None:
        """Make, enable, and give its role to the user of an application, as far as that was not done.

        Raises `ConfigurationError` that says what a person has to do where Dataverse does not let us make it.
        """
        solution, self._api.solution = self._api.solution, None  # a user is in no solution
        try:
            row = await self._find(item.name) or await self._made(item.name)
            own = f"systemusers({row['systemuserid']})"
            if row["isdisabled"]:
                await self._api.update(own, {"isdisabled": False})
            for role in item.fields["roles"]:
                await self._assign(own, role, row["_businessunitid_value"])
        finally:
            self._api.solution = solution

    async def _assign(self, user: str, role: str, business_unit: str) -> None:
        """The role, of which every business unit below has a copy, is that of the user's own business unit."""
        collection = f"{user}/systemuserroles_association"
        if any(it["name"] == role for it in await self._api.rows(collection + query({"$select": "name"}))):
            return
        where = f"name eq '{role}' and _businessunitid_value eq {business_unit}"
        found = await self._api.rows("roles" + query({"$select": "roleid", "$filter": where}))
        if not found:
            raise ConfigurationError(f"The business unit {business_unit} of the app's user has no role {role}.")
        reference = {"@odata.id": f"{self._api.url}/api/data/v9.2/roles({found[0]['roleid']})"}
        await self._api.post(f"{collection}/$ref", reference)

    async def _made(self, application: str) -> Mapping[str, Any]:
        unit = {"businessunitid@odata.bind": f"/businessunits({self._state.business_unit})"}
        try:
            await self._api.post("systemusers", {"applicationid": application, **unit})
        except Permanent as error:
            by_a_person = _BY_A_PERSON.format(application=application)
            raise ConfigurationError(f"The app's user could not be made: {error} {by_a_person}") from error
        row = await self._find(application)
        if row is None:
            raise ConfigurationError(f"The app's user was made, and is not there. {_BY_A_PERSON}")
        return row

    async def _find(self, application: str) -> Mapping[str, Any] | None:
        options = {
            "$select": "systemuserid,isdisabled,_businessunitid_value",
            "$filter": f"applicationid eq {application}",
        }
        return next(iter(await self._api.rows("systemusers" + query(options))), None)
