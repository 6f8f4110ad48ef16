"""Reads the service endpoints and the managed identities with which Dataverse signs in to them.

A managed identity has no description: our mark is in its name. Tables: the references of `serviceendpoint` and
`managedidentity` in Microsoft's documentation. Older environments lack some of their columns.
"""

from collections.abc import Callable
from typing import Any, Final

from integration.errors import Permanent
from integration.odata import query, quoted
from integration.registration.endpoints import CHECK, CHECK_TITLE, CONTRACTS, MANAGED_IDENTITY
from integration.registration.items import Found, State
from integration.registration.web_api import WebApi

IDENTITIES: Final = "managedidentities"
_ENDPOINT: Final = (
    "serviceendpointid,name,description,url,contract,authtype,isauthvalueset,issaskeyset,namespaceaddress,path,"
    "saskeyname,messageformat,userclaim,connectionmode,namespaceformat"
)
_IDENTITY: Final = "applicationid,tenantid,credentialsource,subjectscope"
_KINDS: Final = {contract: kind for kind, contract in CONTRACTS.items()}
_CHARSET, _IDENTITY_ID, _VERSION = "messagecharset", "managedidentityid", "version"
_COMPONENT: Final = "ServiceEndpoint"
"""What `pac managed-identity --component-type` calls a service endpoint."""


class EndpointReader:
    """Adds to `state`; `owned` says whether a description has our mark, which is `mark`."""

    def __init__(self, api: WebApi, state: State, owned: Callable[[str | None], bool], mark: str) -> None:
        self._api, self._state, self._owned, self._mark = api, state, owned, mark

    async def read(self, name: str, identity: str, *, needed: bool) -> None:
        """The endpoint of that name, those of checks, and ours; managed identities of that name, and ours.

        Whoever may not read identities is refused only where one is `needed`.
        """
        newer = await self._columns("serviceendpoint", _CHARSET, _IDENTITY_ID)
        self._state.takes_charset, self._state.takes_identity = _CHARSET in newer, _IDENTITY_ID in newer
        try:
            identities = await self._identities(identity) if self._state.takes_identity else {}
        except Permanent:
            if needed:
                raise
            identities = {}
        columns = [_ENDPOINT, *([_CHARSET] if _CHARSET in newer else [])]
        columns += [f"_{_IDENTITY_ID}_value"] if self._state.takes_identity else []
        where = f"name eq {quoted(name)} or startswith(name,'{CHECK_TITLE}') or contains(description,'{self._mark}')"
        found = await self._rows("serviceendpoints", where, ",".join(columns))
        # One with our mark comes before a namesake of somebody else.
        for it in sorted(found, key=lambda row: not self._owned(row.get("description"))):
            await self._add(it, identities)

    async def _identities(self, name: str) -> dict[str, str]:
        """The names of managed identities by their ids."""
        columns = [_IDENTITY, *sorted(await self._columns("managedidentity", _VERSION))]
        where = f"name eq {quoted(name)} or contains(name,'{self._mark}')"
        names: dict[str, str] = {}
        for it in await self._rows(IDENTITIES, where, ",".join([f"{_IDENTITY_ID},name", *columns])):
            own, owned = it[_IDENTITY_ID], self._owned(it["name"])
            fields = {column: it.get(column) for column in ",".join(columns).split(",")}
            names[own] = it["name"].replace(self._mark, "").strip()
            self._state.add(Found("managed-identity", names[own], own, fields, owned))
            if owned:
                await self._count_others(own)
        return names

    async def _count_others(self, identity: str) -> None:
        """Endpoints of others lose an identity that is deleted (its relationship says RemoveLink)."""
        using = await self._rows("serviceendpoints", f"_{_IDENTITY_ID}_value eq {identity}", "name,description")
        if others := sum(not self._owned(it.get("description")) for it in using):
            self._state.others[identity] = others

    async def _add(self, it: dict[str, Any], identities: dict[str, str]) -> None:
        named = [*_ENDPOINT.split(","), _CHARSET]
        fields = {name: it.get(name) for name in named if name not in {"serviceendpointid", "description"}}
        is_set = it["isauthvalueset" if it["contract"] == CONTRACTS["webhook"] else "issaskeyset"]
        identity = it.get(f"_{_IDENTITY_ID}_value") or ""
        fields |= {
            "secret": "set" if is_set else "missing",
            "managed-identity": identity and identities.get(identity, identity),
        }
        kind = _KINDS.get(it["contract"], str(it["contract"]))
        if it["name"].startswith(CHECK_TITLE):
            kind = CHECK + it["name"].removeprefix(CHECK_TITLE)
        own, said = it["serviceendpointid"], it.get("description") or ""
        owned = self._owned(said)
        notes = (await self._subject(own),) if owned and it["authtype"] == MANAGED_IDENTITY else ()
        self._state.add(Found("endpoint", kind, own, fields, owned, description=said, notes=notes))

    async def _subject(self, endpoint: str) -> str:
        """Which federated credential the application needs, as the function GetComponentManagedIdentityFIC says it."""
        asked = f"GetComponentManagedIdentityFIC(ComponentId={endpoint},ComponentName='{_COMPONENT}')"
        try:
            answer = await self._api.get(asked)
        except Permanent:
            answer = None
        if answer is not None and answer.get("FICSubject"):
            return f"the federated credential of its application needs the subject {answer['FICSubject']}"
        return (
            "Dataverse does not say which subject the federated credential of its application needs: ask pac "
            f"managed-identity show-fic --component-type {_COMPONENT} --component-id {endpoint}"
        )

    async def _columns(self, table: str, *names: str) -> set[str]:
        """Which of these columns the environment has."""
        options = {"$select": "LogicalName", "$filter": " or ".join(f"LogicalName eq '{it}'" for it in names)}
        found = await self._api.rows(f"EntityDefinitions(LogicalName='{table}')/Attributes" + query(options))
        return {it["LogicalName"] for it in found}

    async def _rows(self, entity_set: str, where: str, select: str) -> list[dict[str, Any]]:
        return await self._api.rows(entity_set + query({"$select": select, "$filter": where}))
