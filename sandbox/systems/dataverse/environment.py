"""The environment's fixed identities: the same in every sandbox, so that settings and tests can name them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Client:
    """An Entra application; `user_id` is the Dataverse user it acts as, `app_roles` are its roles in the app."""

    client_id: str
    secret: str
    user_id: str
    object_id: str
    app_roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """The identities: tenant, organisation, the application user of the integration, and one human user.

    The human user's client stands for a person at work in the app: what is changed with its token is a user's change.
    `app_audiences` are application ID URI and client id of the app's registration in Entra.
    """

    tenant_id: str = "11111111-aaaa-4aaa-8aaa-111111111111"
    organisation_id: str = "22222222-bbbb-4bbb-8bbb-222222222222"
    organisation_name: str = "unqsandbox"
    business_unit_id: str = "33333333-cccc-4ccc-8ccc-333333333333"
    application: Client = Client(
        client_id="44444444-dddd-4ddd-8ddd-444444444444",
        secret="sandbox-application-secret",  # noqa: S106 -- opens nothing but the sandbox
        user_id="55555555-eeee-4eee-8eee-555555555555",
        object_id="66666666-ffff-4fff-8fff-666666666666",
    )
    human: Client = Client(
        client_id="77777777-aaaa-4aaa-9aaa-777777777777",
        secret="sandbox-human-secret",  # noqa: S106 -- opens nothing but the sandbox
        user_id="88888888-bbbb-4bbb-9bbb-888888888888",
        object_id="99999999-cccc-4ccc-9ccc-999999999999",
        app_roles=("sender", "operator"),
    )
    app_audiences: tuple[str, ...] = ("api://dataverse-integration", "aaaaaaaa-dddd-4ddd-9ddd-aaaaaaaaaaaa")

    @property
    def clients(self) -> dict[str, Client]:
        """Clients by client id."""
        return {client.client_id: client for client in (self.application, self.human)}

    def known_user(self, application_id: str | None) -> str | None:
        """The id of the user of an application, which is the same in every sandbox."""
        return self.application.user_id if application_id == self.application.client_id else None

    def describe(self, *, url: str, ca_file: Path) -> dict[str, Any]:
        """What `GET /control/environment` answers."""
        return asdict(self) | {"url": url, "authority": f"{url}/{self.tenant_id}", "ca_file": str(ca_file)}
