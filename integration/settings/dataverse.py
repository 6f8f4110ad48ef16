"""The environment of Dataverse: where it is, as whom the app signs in, what it may ask."""

from pydantic import Field, HttpUrl, Json, SecretStr

from integration.settings.part import Part, optional
from integration.settings.types import Guid, Prefix, Url


class Dataverse(Part):
    """The environment of Dataverse: where it is, as whom the app signs in, what it may ask."""

    dataverse_url: Url = Field(
        alias="DATAVERSE_URL", description="Environment URL, for example https://contoso.crm4.dynamics.com."
    )
    dataverse_organisation: Guid = Field(
        alias="DATAVERSE_ORGANISATION",
        description="Organisation id of that environment (WhoAmI answers with it): what plug-in payloads, which do not "
        "name it, belong to.",
    )
    dataverse_tenant_id: str = Field(alias="DATAVERSE_TENANT_ID", description="Entra tenant of the environment.")
    dataverse_client_id: str = Field(
        alias="DATAVERSE_CLIENT_ID",
        description="Client id of the app registration behind the application user, or of the managed identity.",
    )
    dataverse_client_secret: SecretStr | None = optional(
        "DATAVERSE_CLIENT_SECRET", "Client secret of that app registration; without it the managed identity is used."
    )
    dataverse_more_clients: Json[dict[str, SecretStr]] = Field(
        default_factory=dict,
        alias="DATAVERSE_MORE_CLIENTS",
        description="Further application users, as service protection limits are for each of them: events take turns. "
        'JSON {"client id": "client secret"}.',
    )
    dataverse_authority: Url = Field(
        default=HttpUrl("https://login.microsoftonline.com"),
        alias="DATAVERSE_AUTHORITY",
        description="Where tokens come from; it differs in sovereign clouds and in the sandbox.",
        validate_default=True,
    )
    dataverse_instance_discovery: bool = Field(
        default=True,
        alias="DATAVERSE_INSTANCE_DISCOVERY",
        description="Let msal ask Microsoft whether the authority is genuine; false in the sandbox only.",
    )
    dataverse_ca_file: str | None = optional(
        "DATAVERSE_CA_FILE",
        "PEM file of the authority that signed the environment's certificate, if it is not a public one.",
    )
    dataverse_concurrency: int = Field(
        default=8,
        ge=1,
        le=52,
        alias="DATAVERSE_CONCURRENCY",
        description="Calls to Dataverse that one instance has under way at once; Dataverse takes 52 of an application "
        "user, and recommends fewer in x-ms-dop-hint, which all instances share.",
    )
    dataverse_requests: int = Field(
        default=6_000,
        ge=100,
        alias="DATAVERSE_REQUESTS",
        description="Requests to Dataverse in five minutes by all instances together, for each application user. Its "
        "service protection refuses more than 6,000 on each of its web servers.",
    )
    dataverse_batch: int = Field(
        default=10,
        ge=1,
        le=100,
        alias="DATAVERSE_BATCH",
        description="Writes to Dataverse that wait for a place are sent together, so many in one `$batch` at most; "
        "with 1, each is sent alone.",
    )
    write_tag: str = Field(
        default="dataverse-integration",
        alias="WRITE_TAG",
        description="`tag` of every write to Dataverse: with it, an update of result columns alone is our own write.",
    )
    publisher_prefix: Prefix = Field(
        default="new",
        alias="PUBLISHER_PREFIX",
        description="Customisation prefix of the result columns (docs/how-to/connect-dataverse.md).",
    )
    change_tracking: bool = Field(
        default=True,
        alias="CHANGE_TRACKING",
        description="Ask Dataverse every five minutes what has changed in the tables of flows that declare "
        "`change_tracking`, so that what no webhook has brought arrives nevertheless.",
    )
    drift_environment: str | None = optional(
        "DRIFT_ENVIRONMENT",
        "The environment's file of `run.py dataverse` in the package, such as environments/production.toml: every "
        "night the app compares the environment with it and with dataverse.toml. Without it, nothing is compared.",
    )
