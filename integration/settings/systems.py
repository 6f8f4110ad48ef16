"""The systems outside, as the settings name them: one JSON object, and each of its keys as a setting of its own.

`SYSTEMS` is an object of systems by name. What is written there as `"erp": {"apiKey": ...}` may stand in the setting
`SYSTEMS_ERP_API_KEY` instead, which wins: that is the place for a secret, as a Key Vault reference replaces the whole
value of a setting.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

from integration.settings.types import Url

ALL: str = "SYSTEMS"
ONE: str = "SYSTEMS_"
DEFAULT_ANSWER_BYTES = 4 * 1024 * 1024


def _pem(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if "BEGIN CERTIFICATE" not in text or "PRIVATE KEY" not in text:
        raise ValueError("must be PEM with a certificate and its private key")
    return value


def _not_dataverse(name: str) -> str:
    if name == "dataverse":
        raise ValueError("Dataverse has settings of its own (DATAVERSE_URL and others)")
    return name


def _from_json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _listed(value: object) -> object:
    """As a setting of its own it is a text, with commas."""
    return tuple(it.strip() for it in value.split(",") if it.strip()) if isinstance(value, str) else value


Pem = Annotated[SecretStr, AfterValidator(_pem)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
MatchBy = Annotated[tuple[Literal["accountNumber", "taxNumber"], ...], BeforeValidator(_listed)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Countries = Annotated[dict[str, CountryCode], BeforeValidator(_from_json)]
"""By their names; as a setting of its own, the object is JSON."""


class System(BaseModel):
    """The keys of every system."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=False, allow_inf_nan=False
    )

    signs_in_by_name: ClassVar[bool] = False
    """Whether it has a way of its own to sign in, and none of those below."""
    answer_bytes: ClassVar[int] = DEFAULT_ANSWER_BYTES

    url: Url = Field(description="Base address.")
    api_key: SecretStr | None = Field(default=None, description="Signs in with a key: its value.")
    api_key_header: HeaderName = Field(default="X-Api-Key", description="The header that the key goes into.")
    token_url: Url | None = Field(default=None, description="Signs in with OAuth client credentials: token endpoint.")
    client_id: str | None = Field(default=None, description="OAuth client id.")
    client_secret: SecretStr | None = Field(default=None, description="OAuth client secret.")
    scope: str | None = Field(default=None, description="OAuth scope.")
    managed_identity_scope: str | None = Field(
        default=None, description="Signs in with the managed identity: the scope, such as `api://erp/.default`."
    )
    managed_identity_client_id: str | None = Field(
        default=None, description="Client id of a user-assigned identity; absent: that of Dataverse's."
    )
    client_certificate: Pem | None = Field(
        default=None,
        description="Shows a client certificate (PEM, with its private key), alone or besides one of the ways above.",
    )
    relay: Literal["managed-identity", "key", "anonymous"] | None = Field(
        default=None,
        description="The address is a hybrid connection of Azure Relay, and this is how the app may send to it.",
    )
    relay_key_name: str | None = Field(default=None, description="Name of the shared access key, with `relay` `key`.")
    relay_key: SecretStr | None = Field(default=None, description="Its value.")
    ca_file: str | None = Field(
        default=None, description="CA file (PEM) for the system's certificate, instead of the public authorities."
    )
    timeout_seconds: float | None = Field(
        default=None, gt=0, le=120, description="Longest time of one call; absent: `HTTP_TIMEOUT_SECONDS`."
    )
    concurrency: int = Field(default=16, ge=1, description="Calls that one instance has under way at once.")
    concurrency_in_all: int | None = Field(
        default=None, ge=1, description="Calls at once of all instances together; each takes its share, one at least."
    )
    requests: int | None = Field(
        default=None, ge=1, description="Requests in five minutes, of all instances together; absent: not counted."
    )
    outage_first_pause_seconds: float | None = Field(
        default=None, gt=0, description="Absent: `OUTAGE_FIRST_PAUSE_SECONDS`."
    )
    outage_longest_pause_seconds: float | None = Field(
        default=None, gt=0, description="Absent: `OUTAGE_LONGEST_PAUSE_SECONDS`."
    )

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> "System":
        oauth = [self.token_url, self.client_id, self.client_secret]
        if any(oauth) and not all(oauth):
            raise ValueError("tokenUrl, clientId and clientSecret belong together")
        ways = sum(map(bool, (self.api_key, self.token_url, self.managed_identity_scope)))
        if self.signs_in_by_name:
            if ways or self.client_certificate is not None:
                raise ValueError("it signs in with username and password, and in no other way")
            return self
        if ways > 1 or (ways == 0 and self.client_certificate is None and self.relay in {None, "anonymous"}):
            raise ValueError(
                "one way to sign in is required: apiKey, or tokenUrl with clientId and clientSecret, or "
                "managedIdentityScope, or clientCertificate"
            )
        return self

    @model_validator(mode="after")
    def _is_behind_a_relay(self) -> "System":
        keys = [self.relay_key_name, self.relay_key]
        if any(keys) != (self.relay == "key") or any(keys) != all(keys):
            raise ValueError("relayKeyName and relayKey belong to relay 'key'")
        if self.relay and not urlsplit(str(self.url)).path.strip("/"):
            raise ValueError("behind a relay, the path of url begins with the name of the hybrid connection")
        if self.relay and self.client_certificate is not None:
            raise ValueError("a client certificate does not reach a system behind a relay: TLS ends at the relay")
        return self


_MATCHES = (
    "By what a customer is looked for that the ERP may have had before, in this order: `accountNumber`, `taxNumber`; "
    "as a setting of its own, with commas."
)


class RestErp(System):
    """An ERP that keeps the REST contract of this project."""

    adapter: Literal["rest-erp"] = Field(description="Customers and orders over the REST contract.")
    match_by: MatchBy = Field(default=(), description=_MATCHES)


class RestScoring(System):
    """Credit scoring that keeps the REST contract of this project."""

    adapter: Literal["rest-scoring"] = Field(description="Scores over the REST contract.")
    concurrency: int = Field(default=8, ge=1, description="Calls that one instance has under way at once.")


class Rest(System):
    """Any system that keeps the REST contract of this project."""

    adapter: Literal["rest"] = Field(description="Any resources over the REST contract, for flows of your own.")


class BusinessCentral(System):
    """Dynamics 365 Business Central."""

    adapter: Literal["business-central"] = Field(description="Customers and orders over API v2.0.")
    company: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{36}$")] = Field(
        description="Id of the company (`GET companies`)."
    )
    local_currency: Currency = Field(description="The company's own currency (ISO 4217).")
    line_number: str = Field(min_length=1, max_length=20, description="Number of what the line of an order sells.")
    line_type: Literal["Account", "Item"] = Field(
        default="Account", description="What that number is of: `Account` (G/L account) or `Item`."
    )
    number_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{1,4}$")] = Field(
        default="CRM-", description="Begins the numbers of customers that come from Dataverse."
    )
    unknown_seconds: float = Field(
        default=600.0,
        ge=0,
        description="How long a request may be at work after its answer was lost; there, operations end after 480 s.",
    )
    match_by: MatchBy = Field(default=(), description=_MATCHES)
    concurrency: int = Field(default=4, ge=1, description="Calls that one instance has under way at once.")
    concurrency_in_all: int | None = Field(
        default=5, ge=1, description="Calls at once of all instances together; there, a user has five."
    )
    requests: int | None = Field(
        default=5_400, ge=1, description="Requests in five minutes, of all instances together; there, a user has 6,000."
    )


class FinanceOperations(System):
    """Dynamics 365 Finance & Operations."""

    adapter: Literal["finance-operations"] = Field(description="Customers and orders over the standard data entities.")
    company: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,4}$")] = Field(
        description="The legal entity (`dataAreaId`)."
    )
    customer_group: str = Field(min_length=1, max_length=10, description="Customer group of a new customer.")
    local_currency: Currency = Field(description="Currency (ISO 4217) of a customer that has none in Dataverse.")
    item_number: str = Field(min_length=1, max_length=20, description="Item that the line of an order sells.")
    site: str = Field(default="", max_length=10, description="Site that it is shipped from, where the item needs one.")
    warehouse: str = Field(default="", max_length=10, description="Warehouse, in the same way.")
    order_numbers: Literal["automatic", "manual"] = Field(
        default="automatic",
        description="Who numbers orders: its number sequence, or the app (the sequence has to allow manual numbers).",
    )
    number_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{1,4}$")] = Field(
        default="CRM-", description="Begins the numbers that the app sets."
    )
    unknown_seconds: float = Field(
        default=600.0, ge=0, description="How long a request may be at work after its answer was lost."
    )
    match_by: MatchBy = Field(default=(), description=_MATCHES)
    concurrency: int = Field(default=4, ge=1, description="Calls that one instance has under way at once.")
    concurrency_in_all: int | None = Field(
        default=8, ge=1, description="Calls at once of all instances together; its entities are made for few at a time."
    )


class Creditsafe(System):
    """Creditsafe Connect."""

    signs_in_by_name: ClassVar[bool] = True
    answer_bytes: ClassVar[int] = 12 * 1024 * 1024

    adapter: Literal["creditsafe"] = Field(description="Scores from company credit reports of Creditsafe Connect, v1.")
    username: str = Field(min_length=1, description="Name of the user of Connect.")
    password: SecretStr = Field(description="Its password.")
    countries: Countries = Field(
        default_factory=dict,
        description='ISO 3166 codes for the countries as accounts have them: `{"Austria": "AT"}`; a code needs none.',
    )
    report_days: float = Field(
        default=30.0,
        ge=0,
        le=366,
        description="How long a report is good; then it is asked for, and charged, again.",
    )
    timeout_seconds: float | None = Field(default=60.0, gt=0, le=120, description="Longest time of one call.")
    concurrency: int = Field(default=4, ge=1, description="Calls that one instance has under way at once.")


AnySystem = Annotated[
    RestErp | RestScoring | Rest | BusinessCentral | FinanceOperations | Creditsafe, Field(discriminator="adapter")
]
KINDS: tuple[type[System], ...] = (RestErp, RestScoring, Rest, BusinessCentral, FinanceOperations, Creditsafe)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,30}$"), AfterValidator(_not_dataverse)]
Systems = Annotated[dict[Name, AnySystem], Field(min_length=1)]


def setting_of(name: str, key: str) -> str:
    """The setting that holds one key (`apiKey`) of one system (`erp`): `SYSTEMS_ERP_API_KEY`."""
    return f"{ONE}{name.upper()}_{re.sub('(?=[A-Z])', '_', key).upper()}"


def merged(environ: Mapping[str, str]) -> tuple[dict[str, Any] | str | None, list[str]]:
    """The systems, completed by the settings for single keys, and the names of such settings that fit no system.

    The systems as they stand where they are no object of objects, None where there are none: whoever validates them
    says what is wrong.
    """
    try:
        systems = json.loads(environ.get(ALL) or "null")
    except ValueError:
        return environ[ALL], []
    if not isinstance(systems, dict) or not all(isinstance(it, dict) for it in systems.values()):
        return systems if systems is None else environ[ALL], []
    found, known = {}, set()
    for name, keys in systems.items():
        own = {}
        for key in _KEYS:
            setting = setting_of(name, key)
            known.add(setting)
            if environ.get(setting):
                own[key] = environ[setting]
        found[name] = {**keys, **own}
    unknown = [it for it in environ if it.startswith(ONE) and environ[it] and it not in known]
    return found, sorted(unknown)


_KEYS = sorted({to_camel(name) for kind in KINDS for name in kind.model_fields})
