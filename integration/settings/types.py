"""Types of settings: the checks of their text, and the parts of those that are JSON."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr, StringConstraints
from pydantic.alias_generators import to_camel

from integration import signatures

_MINIMUM_KEY_LENGTH = 16
_EXAMPLE = re.compile(
    r"replace-this|\bcontoso\b|\b00000000-0000-0000-0000-000000000000\b|\b10000000-0000-0000-0000-000000000001\b",
    re.IGNORECASE,
)

_ONELAKE = re.compile(r"abfss://([^/@]+)@onelake\.dfs\.fabric\.microsoft\.com/([^/]+)/Tables/[\w/]+")
_IN_STORAGE = re.compile(r"(?:abfss://[a-z0-9-]+@[a-z0-9]+\.dfs\.core\.windows\.net|az://[a-z0-9-]+)(?:/[\w.-]+)+")


def is_example(text: str) -> bool:
    """Whether a value holds what stands for the real one in local.settings.json.example and infra/example.env."""
    return _EXAMPLE.search(text) is not None


def _strong(keys: list[SecretStr]) -> list[SecretStr]:
    if any(len(key.get_secret_value()) < _MINIMUM_KEY_LENGTH for key in keys):
        raise ValueError(f"each key needs {_MINIMUM_KEY_LENGTH} characters or more")
    for key in keys:
        if key.get_secret_value().startswith(signatures.PREFIX):
            signatures.secret_of(key.get_secret_value())
    return keys


def _without_slash(url: HttpUrl) -> str:
    return str(url).rstrip("/")


def _guid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("must be a GUID") from None


def _no_credentials(url: str) -> str:
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ValueError("must not hold credentials")
    return url


def _delta_address(address: str) -> str:
    """Ids in OneLake: by the names of workspace and lakehouse, it lists the log of a table as if it were empty."""
    onelake = _ONELAKE.fullmatch(address)
    if onelake is None and _IN_STORAGE.fullmatch(address) is None:
        raise ValueError("must be abfss://... or az://CONTAINER/FOLDER, as its description says")
    if onelake is not None:
        try:
            for it in onelake.groups():
                _guid(it)
        except ValueError:
            raise ValueError(
                "names workspace and lakehouse by their ids (GUIDs), as their pages' addresses do"
            ) from None
    return address


class Role(StrEnum):
    """What somebody is at the support desk (integration/operations/rights.py)."""

    READER = "reader"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    PAYLOADS = "payloads"


EndpointName = Literal["webhook", "plug-in", "row", "erp", "event-grid", "business-central", "custom", "subscriptions"]
Guid = Annotated[str, AfterValidator(_guid)]
LogicalName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,7}$")]
MessageName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9_]*$")]
Url = Annotated[HttpUrl, AfterValidator(_without_slash), AfterValidator(_no_credentials)]
DeltaAddress = Annotated[str, AfterValidator(_delta_address)]
CallerKeys = Annotated[list[SecretStr], Field(min_length=1, max_length=2), AfterValidator(_strong)]
Callers = Annotated[dict[str, CallerKeys], Field(min_length=1)]


class PluginEventTarget(BaseModel):
    """The table and message that a plug-in payload's EventName stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: LogicalName
    message: MessageName


class CallerRights(BaseModel):
    """What a caller of the intake may do; what is left out is not restricted."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    endpoints: frozenset[EndpointName] | None = None
    tables: frozenset[str] | None = None
    requests_per_minute: int | None = Field(default=None, ge=1)


class OrganisationRights(BaseModel):
    """What may come from an organisation of Dataverse; what is left out is not restricted."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    requests_per_minute: int | None = Field(default=None, ge=1)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach an Azure service: a connection string, or an address with a managed identity."""

    connection_string: SecretStr | None
    address: str | None
    client_id: str | None
