"""Who works at the support desk, and what each may do.

| role            | may                                                                                    |
|-----------------|----------------------------------------------------------------------------------------|
| `reader`        | look at everything but payloads                                                        |
| `operator`      | also repair: retry, edit and retry, postpone, bulk retries, pause and resume, notes    |
| `administrator` | also force, discard, restore, and send records again                                   |
| `payloads`      | also see and edit the values that events carry; goes with one of the roles above       |

A person or program is known by an operations key, by an access token of Entra whose app roles have these names, or by
App Service Authentication, which stands in front of the app where the settings say so. It names the person in the
header X-MS-CLIENT-PRINCIPAL, and lets no request from outside set that header (learn.microsoft.com, "Work with user
identities in Azure App Service authentication").
"""

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from integration.admission import CallerKeys, EntraTokens
from integration.errors import Rejected
from integration.settings.types import Role

PRINCIPAL: Final = "x-ms-client-principal"
_LONGEST_NAME: Final = 200


class Right(StrEnum):
    """What somebody may do."""

    LOOK = "look"
    REPAIR = "repair"
    ADMINISTER = "administer"
    PAYLOADS = "payloads"


_RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    Role.READER: frozenset({Right.LOOK}),
    Role.OPERATOR: frozenset({Right.LOOK, Right.REPAIR}),
    Role.ADMINISTRATOR: frozenset({Right.LOOK, Right.REPAIR, Right.ADMINISTER}),
    Role.PAYLOADS: frozenset({Right.PAYLOADS}),
}
NEEDED: Final[Mapping[Right, str]] = {
    Right.LOOK: "needs the role reader",
    Right.REPAIR: "needs the role operator",
    Right.ADMINISTER: "needs the role administrator",
    Right.PAYLOADS: "needs the role payloads",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the desk.

    `by_header` says whether a key or token was in a header of the request, which no other site makes a browser send.
    """

    name: str
    rights: frozenset[Right]
    by_header: bool = False

    def may(self, right: Right) -> bool:
        """Whether the person has the right."""
        return right in self.rights

    def check(self, right: Right) -> None:
        """Raise `Rejected` (403) where the right is missing."""
        if right not in self.rights:
            raise Rejected(
                403,
                "You may not do this",
                f"It {NEEDED[right]}. {self.name} does not have it: ask whoever gives roles for this app.",
                reason="right-missing",
            )


class Staff:
    """Finds out who asks. Callers whose key is in no role may do everything, as keys could before there were roles."""

    def __init__(
        self,
        keys: CallerKeys,
        roles: Mapping[str, Collection[Role]],
        *,
        signed_in_by_platform: bool,
        tokens: EntraTokens | None = None,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._roles = roles
        self.signed_in_by_platform = signed_in_by_platform

    async def admit(self, headers: Mapping[str, str], params: Mapping[str, str]) -> Person:
        """Who sends a request to the API; header names in lower case.

        Raises `Rejected` (401, 403 without a role), or `Unavailable` where no token can be checked.
        """
        person = await self.signed_in(headers)
        if person is None:
            return self.of_key(self._keys.admit(headers, params), by_header=True)
        person.check(Right.LOOK)
        return person

    async def signed_in(self, headers: Mapping[str, str]) -> Person | None:
        """Whom Entra has signed in: by App Service Authentication, or by a token. Raises as `admit` does."""
        person = self.principal(headers)
        bearer = await self._tokens.bearer(headers) if person is None and self._tokens is not None else None
        if bearer is None:
            return person
        rights = rights_of(role for role in Role if role.value in bearer.roles)
        return Person(bearer.name[:_LONGEST_NAME], rights, by_header=True)

    def of_key(self, caller: str, *, by_header: bool = False) -> Person:
        """The person or program to whom an operations key was given."""
        roles = self._roles.get(caller)
        return Person(caller, frozenset(Right) if roles is None else rights_of(roles), by_header)

    def caller_of(self, key: str) -> str | None:
        """The caller whose operations key this is, if any."""
        return self._keys.caller_of(key)

    def principal(self, headers: Mapping[str, str]) -> Person | None:
        """Whom App Service Authentication has signed in; None without it. Raises `Rejected` (401)."""
        header = headers.get(PRINCIPAL)
        if not header or not self.signed_in_by_platform:
            return None
        try:
            document: dict[str, Any] = json.loads(base64.b64decode(header, validate=True))
            claims = [(str(it["typ"]), str(it["val"])) for it in document["claims"]]
        except (binascii.Error, ValueError, TypeError, LookupError):
            raise Rejected(401, "Sign in again", f"The header {PRINCIPAL} cannot be read.") from None
        of_roles = {"roles", str(document.get("role_typ"))}
        given = {value.lower() for kind, value in claims if kind in of_roles}
        names = [
            value for kind, value in claims if kind in ("preferred_username", str(document.get("name_typ")), "oid")
        ]
        name = headers.get(f"{PRINCIPAL}-name") or next(iter(names), "somebody without a name")
        return Person(name[:_LONGEST_NAME], rights_of(role for role in Role if role.value in given))


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """What these roles allow together; seeing payloads alone allows nothing."""
    found = frozenset[Right]().union(*(_RIGHTS[role] for role in roles))
    return found if Right.LOOK in found else frozenset()
