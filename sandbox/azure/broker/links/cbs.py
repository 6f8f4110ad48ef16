"""Claims-based security: `$cbs` takes the tokens that clients present for entities.

Without configured keys every token is taken, as the emulators do. With keys, the signature, the expiry and the key's
rights are checked: a bad token is refused here, a missing right only when a link is attached, both as in Azure. A token
of Entra ID is that of a known application.
"""

import time
from dataclasses import dataclass, field

from sandbox.azure.broker.errors import BrokerError, not_found
from sandbox.azure.broker.links.endpoints import Scheduler
from sandbox.azure.broker.links.requests import ReplyLink, Request, RequestLink, Response
from sandbox.azure.broker.namespace import path_of
from sandbox.azure.entra_tokens import Application, holder
from sandbox.azure.shared_access import AccessKey, verified_key


@dataclass(slots=True)
class Grants:
    """What the tokens of one connection allow: rights by the path they were presented for."""

    by_path: dict[str, frozenset[str]] = field(default_factory=dict)

    def require(self, right: str, path: str) -> None:
        """Raises when no token for the path, or for anything above it, carries the right."""
        key = path.lower()
        for prefix, rights in self.by_path.items():
            if right in rights and (not prefix or key == prefix or key.startswith(prefix + "/")):
                return
        raise BrokerError(
            "amqp:unauthorized-access",
            f"Unauthorized access. '{right}' claim(s) are required to perform this operation. Resource: "
            f"'sb://localhost/{path}'.",
            401,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """Whose tokens are taken: shared access keys by name, and applications by client id; anybody's without keys."""

    keys: dict[str, AccessKey] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)


class TokenLink(RequestLink):
    """Answers put-token."""

    def __init__(
        self,
        scheduler: Scheduler,
        replies: dict[str | None, ReplyLink],
        known: Known,
        grants: Grants,
    ) -> None:
        super().__init__(scheduler, replies)
        self._known = known
        self._grants = grants

    def answer(self, request: Request) -> Response:
        path = path_of(request.text("name"))
        if not self._scheduler.namespace.knows(path):
            error = not_found(path)
            return Response(404, error.description, condition=error.condition, both_spellings=False)
        if self._known.keys:
            token = request.body if isinstance(request.body, str) else ""
            now = time.time()
            known = verified_key(token, self._known.keys, now, path) or holder(token, self._known.applications, now)
            if known is None:
                description = "InvalidSignature: The token has an invalid signature."
                return Response(401, description, condition="com.microsoft:auth-failed", both_spellings=False)
            self._grants.by_path[path.lower().removesuffix("$management").strip("/")] = known.rights
        return Response(202, "Accepted", both_spellings=False)
