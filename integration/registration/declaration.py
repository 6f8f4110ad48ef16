"""The declaration (dataverse.toml), and the values of one environment, each from a TOML file.

The declaration is the same for all environments. It is short, because tables, columns, keys, steps and images follow
from the flows. Neither file holds a secret: a value such as `env:WEBHOOK_KEY` says where it is.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, HttpUrl, StringConstraints, ValidationError, model_validator

from integration.errors import ConfigurationError
from integration.registration.declared_apis import Catalog, CustomApiOptions
from integration.registration.file_model import FileModel, UniqueName
from integration.settings.types import Guid, Prefix, Url

Model = TypeVar("Model", bound=BaseModel)

Reference = Annotated[str, StringConstraints(pattern=r"^[a-z]+:[A-Za-z_][A-Za-z0-9_]*$")]
"""Where a secret is: `env:NAME` is the environment variable of that name."""
Mark = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,49}$")]


class Named(FileModel):
    """A publisher or solution: its unique name, and what people see."""

    unique_name: UniqueName = "integration"
    display_name: str = "Integration"


class Endpoint(FileModel):
    """The service endpoint that the steps call: the app's webhook, or an entity that the app reads.

    `managed_identity` names the row of the identity, where an environment has one in place of a SAS key.
    """

    kind: Literal["webhook", "queue", "topic", "hub"] = "webhook"
    name: str = Field(default="integration webhook", max_length=100)
    managed_identity: str = Field(default="integration endpoint", min_length=1, max_length=36)


class Role(FileModel):
    """The security role of the app's user; `depth` is how far from its business unit the app reaches.

    The pull of changes needs the whole organisation.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,99}$")] = "Integration"
    depth: Literal["organization", "parent-child", "business-unit"] = "organization"


class StepOptions(FileModel):
    """How a step runs. The defaults are right for an integration: no user waits, and nothing is sent in vain."""

    stage: int = 40
    mode: Literal["asynchronous", "synchronous"] = "asynchronous"
    rank: int = 1
    delete_completed_jobs: bool = True


class VirtualTableOptions(FileModel):
    """The virtual tables: the name of their data source, how many seconds Dataverse waits, and whose they are.

    Without `sets` there is a table for each entity set that the app serves. `events` lets the app report changes.
    """

    data_source: str = Field(default="integration ERP", min_length=1, max_length=100)
    timeout: int = Field(default=30, ge=26, le=120)
    sets: tuple[str, ...] | None = None
    events: bool = True


class Declaration(FileModel):
    """What is the same in all environments; `name` marks what this app owns there.

    `steps` are by `account.Update`, by the unique name of a custom API, or for a check by
    `opportunity.Update.credit-check`.
    """

    name: Mark = "dataverse-integration"
    change_tracking: bool = True
    publisher: Named = Named()
    solution: Named = Named()
    role: Role = Role()
    endpoint: Endpoint = Endpoint()
    steps: dict[str, StepOptions] = Field(default_factory=dict)
    custom_apis: dict[UniqueName, CustomApiOptions] = Field(default_factory=dict)
    catalog: Catalog | None = None
    virtual_tables: VirtualTableOptions = VirtualTableOptions()


class SignIn(FileModel):
    """How somebody who may customise the environment signs in; `client_secret` is a reference such as `env:NAME`."""

    tenant: str | None = None
    client_id: str | None = None
    client_secret: Reference | None = None
    authority: Url = Field(default=HttpUrl("https://login.microsoftonline.com"), validate_default=True)
    instance_discovery: bool = True
    ca_file: str | None = None


class ManagedIdentity(FileModel):
    """The application as which Dataverse signs in: its client id, and the tenant that it is in.

    `version` is a column that Microsoft describes for plug-ins only; Dataverse's default counts without it.
    """

    application: Guid
    tenant: Guid
    version: int | None = None


class Bus(FileModel):
    """A queue, topic or event hub of an environment; `namespace` is `sb://<name>.servicebus.windows.net/`.

    Dataverse signs in with a SAS key, or with a managed identity.
    """

    namespace: Annotated[str, StringConstraints(pattern=r"^sb://[A-Za-z0-9.:-]+/?$")]
    path: str
    key_name: str = "dataverse-send"
    key: Reference | None = None
    managed_identity: ManagedIdentity | None = None

    @model_validator(mode="after")
    def _one_sign_in(self) -> "Bus":
        if (self.key is None) == (self.managed_identity is None):
            there = "neither" if self.key is None else "both"
            raise ValueError(f"Dataverse signs in with a key or with [bus.managed-identity], and {there} is given")
        return self


class Values(FileModel):
    """What differs between environments. `organisation` (WhoAmI says it) guards against the wrong one.

    A webhook needs `webhook_url` and `webhook_key`, every other endpoint `bus`. `application` is the client id with
    which the app signs in, `more_applications` those of DATAVERSE_MORE_CLIENTS; without them, users and role are left
    to somebody else. What the app serves at `virtual_tables_url` (`https://<app>/api/odata`) with `virtual_tables_key`
    becomes virtual tables. `app_sees_registration` lets the role read what is registered, as `run.py doctor` does.
    `checks` says whether the steps of checks are registered.
    """

    url: Url
    organisation: Guid | None = None
    application: Guid | None = None
    more_applications: tuple[Guid, ...] = ()
    app_sees_registration: bool = False
    stand_in_for_plug_ins: bool = False
    publisher_prefix: Prefix = "new"
    checks: bool = True
    webhook_url: Url | None = None
    webhook_key: Reference | None = None
    bus: Bus | None = None
    virtual_tables_url: Url | None = None
    virtual_tables_key: Reference | None = None
    sign_in: SignIn = SignIn()

    @property
    def applications(self) -> list[str]:
        """The client ids of all users of the app, in lower case."""
        given = [*([self.application] if self.application else []), *self.more_applications]
        return list(dict.fromkeys(it.lower() for it in given))


def read_declaration(path: Path) -> Declaration:
    """Read dataverse.toml; raises `ConfigurationError` that names all mistakes."""
    return _read(path, Declaration)


def read_values(path: Path) -> Values:
    """Read the file of an environment; raises `ConfigurationError` that names all mistakes."""
    return _read(path, Values)


def secret(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret that `env:NAME` refers to; raises `ConfigurationError` where it is not set."""
    kind, _, name = reference.partition(":")
    if kind != "env":
        raise ConfigurationError("A secret is written as env:NAME, and that environment variable holds it")
    if not environ.get(name):
        raise ConfigurationError(f"The environment variable {name} is not set; it has to hold the secret")
    return environ[name]


def _read(path: Path, model: type[Model]) -> Model:
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        raise ConfigurationError(f"{path}: {wrong}") from None
