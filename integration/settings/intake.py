"""What the intake takes, from whom, and how long it may need."""

from pydantic import Field, Json

from integration.settings.part import Part, optional
from integration.settings.types import CallerRights, Callers, Guid, OrganisationRights, PluginEventTarget, Url


class Intake(Part):
    """What the intake takes, from whom, and how long it may need."""

    intake_keys: Json[Callers] = Field(
        alias="INTAKE_KEYS",
        description="Callers of the intake and their keys, at most two each so that a key can be rotated without loss: "
        'JSON {"caller": ["key", "next key"]}. A key that begins with whsec_ is a secret with which the caller signs '
        "(Standard Webhooks).",
    )
    intake_rights: Json[dict[str, CallerRights]] = Field(
        default_factory=dict,
        alias="INTAKE_RIGHTS",
        description="What callers of the intake may do, where that is less than everything: endpoints (webhook, "
        "plug-in, row, erp, event-grid, business-central, custom, subscriptions), tables, and requests in a minute to "
        "one instance. A service endpoint of Dataverse is the caller dataverse-queue, dataverse-topic or "
        "dataverse-hub, the queue of business events is business-events-queue. "
        'JSON {"plugin": {"endpoints": ["plug-in"], "tables": ["opportunity"], "requestsPerMinute": 600}}.',
    )
    intake_applications: Json[dict[str, Guid]] = Field(
        default_factory=dict,
        alias="INTAKE_APPLICATIONS",
        description="Callers of the intake that send with an access token of Entra, and the client ids of their "
        "applications, which need the app role `sender`. A caller may also have keys while it moves from them to "
        'tokens. JSON {"caller": "client id"}.',
    )
    token_audiences: Json[list[str]] = Field(
        default_factory=list,
        alias="TOKEN_AUDIENCES",
        description="For whom access tokens of Entra have to be: client id and application ID URI of this app's "
        "registration. They open the intake and the routes of operations; without this setting no token is looked at. "
        'JSON ["api://dataverse-integration", "client id"].',
    )
    token_tenants: Json[list[Guid]] = Field(
        default_factory=list,
        alias="TOKEN_TENANTS",
        description="Tenants whose tokens are admitted; without it, that of DATAVERSE_TENANT_ID alone. JSON, a list.",
    )
    own_organisation_only: bool = Field(
        default=True,
        alias="OWN_ORGANISATION_ONLY",
        description="Refuse events of other organisations (403): a copied environment has the same endpoints and ids.",
    )
    organisations: Json[dict[Guid, OrganisationRights]] = Field(
        default_factory=dict,
        alias="ORGANISATIONS",
        description="Further organisations whose events are taken in, by their ids, and requests in a minute from each "
        "to one instance; that of DATAVERSE_ORGANISATION may be named for its rate. JSON "
        '{"organisation id": {"requestsPerMinute": 600}}.',
    )
    intake_deadline_seconds: float = Field(
        default=10.0,
        gt=0,
        le=50,
        alias="INTAKE_DEADLINE_SECONDS",
        description="An event that cannot be queued within this time is answered with 503; "
        "Dataverse itself gives up after 60 s.",
    )
    intake_body_limit_bytes: int = Field(
        default=524_288,
        ge=262_144,
        alias="INTAKE_BODY_LIMIT_BYTES",
        description="A larger request body is refused with 413. Dataverse sends 256 KB at most.",
    )
    public_url: Url | None = optional(
        "PUBLIC_URL",
        "Address under which callers reach the app, where it is not that of their requests (a gateway that "
        "rewrites them): the Location of a 202 begins with it.",
    )
    repair_mojibake: bool = Field(
        default=False,
        alias="REPAIR_MOJIBAKE",
        description="Repair text that an older environment sends doubly encoded (UTF-8 read as Windows-1252).",
    )
    plugin_events: Json[dict[str, PluginEventTarget]] = Field(
        alias="PLUGIN_EVENTS",
        description="What the plug-in payload's EventName stands for: "
        'JSON {"OpportunityUpdated": {"table": "opportunity", "message": "Update"}}.',
    )
    custom_api_seconds: float = Field(
        default=5.0,
        gt=0,
        le=50,
        alias="CUSTOM_API_SECONDS",
        description="A question of a synchronous step (POST /api/dataverse/custom) is answered within this time, while "
        "a user waits for the save.",
    )
    custom_api_concurrency: int = Field(
        default=32,
        ge=1,
        alias="CUSTOM_API_CONCURRENCY",
        description="Such questions that one instance has under way at once; further ones are answered at once, as "
        "where a system is unavailable.",
    )
