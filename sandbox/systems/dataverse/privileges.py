"""The privileges that there are: those of each table, and a few of none.

Sources: "Security roles and privileges" and the table privilege in Microsoft's documentation. What the platform gives a
new role by itself is what users report.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Values

RIGHTS = {
    "Create": 32,
    "Read": 1,
    "Write": 2,
    "Delete": 65_536,
    "Append": 4,
    "AppendTo": 16,
    "Assign": 524_288,
    "Share": 262_144,
}
"""Kinds of privileges, with the column `accessright`."""
_OF_OWNED_ROWS = frozenset({"Assign", "Share"})
_NAMES = {"systemuser": "User", "task": "Activity"}
"""Tables whose privileges are not named after them."""
ACT_FOR_ANOTHER = "prvActOnBehalfOfAnotherUser"
OF_NEW_ROLES = (
    "prvReadSdkMessage",
    "prvReadSdkMessageProcessingStep",
    "prvReadSdkMessageProcessingStepImage",
    "prvReadPluginAssembly",
    "prvReadPluginType",
)
"""Privileges that the platform gives a new role by itself, besides `OF_SHAREPOINT`, as users report it."""
OF_SHAREPOINT = (
    "prvReadSharePointData",
    "prvWriteSharePointData",
    "prvCreateSharePointData",
    "prvReadSharePointDocument",
)
_OF_DEFINITIONS = ("prvReadAttribute", "prvReadRelationship", "prvReadOptionSet")
_OF_NO_TABLE = (ACT_FOR_ANOTHER, "prvReadPluginAssembly", "prvReadPluginType", *_OF_DEFINITIONS, *OF_SHAREPOINT)
_SPACE = uuid.UUID("7f0d4c35-2a86-4d2e-8f3b-9d7a51c1e0b4")
DEPTHS = ("Basic", "Local", "Deep", "Global")


@dataclass(frozen=True)
class Privilege:
    """One privilege, and whether it can be given at a smaller depth than that of the whole organisation."""

    name: str
    right: int
    of_owned_rows: bool

    @property
    def id(self) -> str:
        """Its id, the same in every sandbox."""
        return str(uuid.uuid5(_SPACE, self.name))

    def may_have(self, depth: str) -> bool:
        """Whether it can be given at this depth."""
        return depth == "Global" or self.of_owned_rows

    def row(self) -> Values:
        """Its row in the table privilege."""
        depths = {f"canbe{depth.lower()}": self.may_have(depth) for depth in DEPTHS}
        return {"privilegeid": self.id, "name": self.name, "accessright": self.right, **depths}


def privileges_of(table: Table) -> dict[str, Privilege]:
    """The privileges of a table by their kind."""
    owned = table.definition["OwnershipType"] in {"UserOwned", "BusinessOwned"}
    called = _NAMES.get(table.name, str(table.definition["SchemaName"]))
    kinds = {kind: right for kind, right in RIGHTS.items() if table.user_owned or kind not in _OF_OWNED_ROWS}
    return {kind: Privilege(f"prv{kind}{called}", right, owned) for kind, right in kinds.items()}


def all_privileges(schema: Schema) -> Iterator[Privilege]:
    """Those of all tables, and those of none."""
    for table in schema:
        yield from privileges_of(table).values()
    for name in _OF_NO_TABLE:
        yield Privilege(name, 0, of_owned_rows=False)


def shown_privileges(privileges: dict[str, Privilege]) -> list[dict[str, Any]]:
    """SecurityPrivilegeMetadata, the property `Privileges` of a table's definition."""
    return [
        {
            "CanBeBasic": each.may_have("Basic"),
            "CanBeDeep": each.may_have("Deep"),
            "CanBeGlobal": True,
            "CanBeLocal": each.may_have("Local"),
            "CanBeEntityReference": False,
            "CanBeParentEntityReference": False,
            "Name": each.name,
            "PrivilegeId": each.id,
            "PrivilegeType": kind,
        }
        for kind, each in privileges.items()
    ]
