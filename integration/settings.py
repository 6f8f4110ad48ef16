"""Every app setting, once: its name in the environment, its type, its default and its meaning.

Settings are read from a mapping (the process environment in Azure and under `func start`). One message names everything
that is missing or wrong; values are never shown, because they may be secrets.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, Json, SecretStr, ValidationError

from integration import setting_checks
from integration.errors import ConfigurationError
from integration.setting_types import (
    CallerKeys,
    CallerRights,
    Callers,
    Connection,
    Guid,
    OrganisationRights,
    PluginEventTarget,
    Prefix,
    Role,
    Url,
    is_example,
)
from integration.system_settings import ALL, ONE, Systems, merged

_NAMESPACE = "Instead of the connection string: NAME.servicebus.windows.net, reached with the managed identity."


def _optional(alias: str, description: str) -> Any:
    """A setting that may be left out."""
    return Field(default=None, alias=alias, description=description)


class Settings(BaseModel):
    """The app's settings; read once at start with `Settings.from_environment(os.environ)`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    storage_connection: SecretStr | None = _optional(
        "AzureWebJobsStorage",
        "Connection string of the storage account (ledger tables, archive blobs, the host's own state).",
    )
    storage_account: str | None = _optional(
        "AzureWebJobsStorage__accountName",
        "The account's name, in place of the connection string; it is reached with the managed identity.",
    )
    storage_client_id: str | None = _optional(
        "AzureWebJobsStorage__clientId", "Client id of the user-assigned identity for storage."
    )
    service_bus_connection: SecretStr | None = _optional(
        "ServiceBus", "Connection string of the Service Bus namespace."
    )
    service_bus_namespace: str | None = _optional("ServiceBus__fullyQualifiedNamespace", _NAMESPACE)
    service_bus_client_id: str | None = _optional(
        "ServiceBus__clientId", "Client id of the user-assigned identity for Service Bus."
    )
    event_hubs_connection: SecretStr | None = _optional("EventHubs", "Connection string of the Event Hubs namespace.")
    event_hubs_namespace: str | None = _optional("EventHubs__fullyQualifiedNamespace", _NAMESPACE)
    event_hubs_client_id: str | None = _optional(
        "EventHubs__clientId", "Client id of the user-assigned identity for Event Hubs."
    )
    dataverse_service_bus_connection: SecretStr | None = _optional(
        "DataverseServiceBus",
        "Connection string of the Service Bus namespace that service endpoints of Dataverse post to.",
    )
    dataverse_service_bus_namespace: str | None = _optional("DataverseServiceBus__fullyQualifiedNamespace", _NAMESPACE)
    dataverse_service_bus_client_id: str | None = _optional(
        "DataverseServiceBus__clientId", "Client id of the user-assigned identity for that namespace."
    )
    dataverse_event_hubs_connection: SecretStr | None = _optional(
        "DataverseEventHubs",
        "Connection string of the Event Hubs namespace that service endpoints of Dataverse post to.",
    )
    dataverse_event_hubs_namespace: str | None = _optional("DataverseEventHubs__fullyQualifiedNamespace", _NAMESPACE)
    dataverse_event_hubs_client_id: str | None = _optional(
        "DataverseEventHubs__clientId", "Client id of the user-assigned identity for that namespace."
    )
    business_events_service_bus_connection: SecretStr | None = _optional(
        "BusinessEventsServiceBus",
        "Connection string of the Service Bus namespace that Finance & Operations posts business events to.",
    )
    business_events_service_bus_namespace: str | None = _optional(
        "BusinessEventsServiceBus__fullyQualifiedNamespace", _NAMESPACE
    )
    business_events_service_bus_client_id: str | None = _optional(
        "BusinessEventsServiceBus__clientId", "Client id of the user-assigned identity for that namespace."
    )
    business_events_queue: str | None = _optional(
        "BUSINESS_EVENTS_QUEUE",
        "Queue that an endpoint of Finance & Operations posts business events to; without it, none is read.",
    )
    dataverse_queue: str | None = _optional(
        "DATAVERSE_QUEUE", "Queue that a service endpoint of Dataverse posts to; without it, no queue is read."
    )
    dataverse_topic: str | None = _optional(
        "DATAVERSE_TOPIC", "Topic that a service endpoint of Dataverse posts to; without it, no topic is read."
    )
    dataverse_subscription: str | None = _optional("DATAVERSE_SUBSCRIPTION", "The app's subscription of that topic.")
    dataverse_hub: str | None = _optional(
        "DATAVERSE_HUB", "Event hub that a service endpoint of Dataverse posts to; without it, no hub is read."
    )
    dataverse_consumer_group: str = Field(
        default="$Default", alias="DATAVERSE_CONSUMER_GROUP", description="The app's consumer group of that hub."
    )
    work_queue: str = Field(
        default="work", alias="WORK_QUEUE", description="Session queue between the intake and the worker."
    )
    events_hub: str = Field(
        default="integration-events", alias="EVENTS_HUB", description="Event hub that settled events are published to."
    )
    events_consumer_group: str = Field(
        default="archive", alias="EVENTS_CONSUMER_GROUP", description="Consumer group of the archive sink."
    )
    webhooks_queue: str | None = _optional(
        "WEBHOOKS_QUEUE", "Queue of the deliveries of webhooks; without it, nobody can subscribe to ended events."
    )
    webhooks_consumer_group: str = Field(
        default="webhooks",
        alias="WEBHOOKS_CONSUMER_GROUP",
        description="Consumer group of EVENTS_HUB that webhooks are made from.",
    )
    webhooks_private_receivers: bool = Field(
        default=False,
        alias="WEBHOOKS_PRIVATE_RECEIVERS",
        description="Let subscribers name addresses of private networks and plain http. Whoever may subscribe can then "
        "have the app call whatever it can reach.",
    )
    event_grid_endpoint: Url | None = _optional(
        "EVENT_GRID_ENDPOINT",
        "Where settled events are published to in Event Grid, without a query: the address of a custom topic "
        "(.../api/events) or of a topic of a namespace (.../topics/NAME:publish). Without it, nothing is.",
    )
    event_grid_key: SecretStr | None = _optional(
        "EVENT_GRID_KEY", "Key of that topic; without it the managed identity is used."
    )
    event_grid_client_id: str | None = _optional(
        "EVENT_GRID_CLIENT_ID", "Client id of the user-assigned identity for Event Grid."
    )
    event_grid_consumer_group: str = Field(
        default="event-grid",
        alias="EVENT_GRID_CONSUMER_GROUP",
        description="Consumer group of EVENTS_HUB that is published from.",
    )
    archive_container: str = Field(
        default="integration-events", alias="ARCHIVE_CONTAINER", description="Blob container of the archive sink."
    )
    ledger_copies_container: str = Field(
        default="ledger-copies",
        alias="LEDGER_COPIES_CONTAINER",
        description="Blob container of the ledger's daily copies.",
    )
    ledger_copies_account: str | None = _optional(
        "LEDGER_COPIES_ACCOUNT",
        "Storage account of the ledger's daily copies, by name, reached with the app's identity. Without "
        "it they are in the account of the ledger itself, and are lost with it.",
    )
    message_limit_bytes: int = Field(
        default=196_608,
        ge=16_384,
        le=1_000_000,
        alias="MESSAGE_LIMIT_BYTES",
        description="Largest queue message in bytes; a larger event is sent trimmed and read again from Dataverse. "
        "Service Bus Standard takes 256 KB with all properties.",
    )

    intake_keys: Json[Callers] = Field(
        alias="INTAKE_KEYS",
        description="Callers of the intake and their keys, at most two each so that a key can be rotated without loss: "
        'JSON {"caller": ["key", "next key"]}. A key that begins with whsec_ is a secret with which the caller signs '
        "(Standard Webhooks).",
    )
    operations_keys: Json[Callers] = Field(
        alias="OPERATIONS_KEYS",
        description="Callers of the operations routes and their keys, in the same form.",
    )
    operations_roles: Json[dict[str, list[Role]]] = Field(
        default_factory=dict,
        alias="OPERATIONS_ROLES",
        description="What the callers of OPERATIONS_KEYS may do, each a list of `reader`, `operator`, `administrator` "
        'and `payloads`: JSON {"anna": ["operator", "payloads"]}. A caller that is not named may do everything.',
    )
    app_service_authentication: bool = Field(
        default=False,
        alias="APP_SERVICE_AUTHENTICATION",
        description="App Service Authentication stands in front of the app and signs people in; their app roles in "
        "Entra have the names of OPERATIONS_ROLES. Without it in front, anybody could name himself in its header.",
    )
    platform_authentication: bool = Field(
        default=False,
        alias="WEBSITE_AUTH_ENABLED",
        description="Whether App Service Authentication is switched on, which Azure says.",
    )
    trace_url: str | None = _optional(
        "TRACE_URL",
        "Address of the page that shows the trace of an event, with {event_id} and {correlation_id} in it; "
        "the console links to it.",
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
    virtual_table_keys: Json[dict[str, CallerKeys]] = Field(
        default_factory=dict,
        alias="VIRTUAL_TABLE_KEYS",
        description="Callers of the virtual tables and their keys, in the same form. The data source in Dataverse "
        "sends its key as a header. Without a caller, no virtual table answers.",
    )
    virtual_table_writers: Json[list[str]] = Field(
        default_factory=list,
        alias="VIRTUAL_TABLE_WRITERS",
        description='The callers of VIRTUAL_TABLE_KEYS that may create, change and delete rows: JSON ["dataverse"].',
    )
    virtual_table_requests: int = Field(
        default=600,
        ge=1,
        alias="VIRTUAL_TABLE_REQUESTS",
        description="Requests in a minute that one caller of the virtual tables may send to one instance.",
    )
    intake_deadline_seconds: float = Field(
        default=10.0,
        gt=0,
        le=50,
        alias="INTAKE_DEADLINE_SECONDS",
        description="An event that cannot be queued within this time is answered with 503; "
        "Dataverse itself gives up after 60 s.",
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
    intake_body_limit_bytes: int = Field(
        default=524_288,
        ge=262_144,
        alias="INTAKE_BODY_LIMIT_BYTES",
        description="A larger request body is refused with 413. Dataverse sends 256 KB at most.",
    )
    public_url: Url | None = _optional(
        "PUBLIC_URL",
        "Address under which callers reach the app, where it is not that of their requests (a gateway that "
        "rewrites them): the Location of a 202 begins with it.",
    )
    website_hostname: str | None = _optional(
        "WEBSITE_HOSTNAME",
        "The app's host name, which Azure sets: Business Central is told to send its notifications there "
        "where `PUBLIC_URL` is not set.",
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

    dataverse_url: Url = Field(
        alias="DATAVERSE_URL", description="Environment URL, for example https://contoso.crm4.dynamics.com."
    )
    dataverse_organisation: Guid = Field(
        alias="DATAVERSE_ORGANISATION",
        description="Organisation id of that environment (WhoAmI answers with it): what plug-in payloads, which do not "
        "name it, belong to.",
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
    dataverse_tenant_id: str = Field(alias="DATAVERSE_TENANT_ID", description="Entra tenant of the environment.")
    dataverse_client_id: str = Field(
        alias="DATAVERSE_CLIENT_ID",
        description="Client id of the app registration behind the application user, or of the managed identity.",
    )
    dataverse_client_secret: SecretStr | None = _optional(
        "DATAVERSE_CLIENT_SECRET", "Client secret of that app registration; without it the managed identity is used."
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
    dataverse_ca_file: str | None = _optional(
        "DATAVERSE_CA_FILE",
        "PEM file of the authority that signed the environment's certificate, if it is not a public one.",
    )
    dataverse_more_clients: Json[dict[str, SecretStr]] = Field(
        default_factory=dict,
        alias="DATAVERSE_MORE_CLIENTS",
        description="Further application users, as service protection limits are for each of them: events take turns. "
        'JSON {"client id": "client secret"}.',
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

    flows_off: Json[list[str]] = Field(
        default_factory=list,
        alias="FLOWS_OFF",
        description="Flows that are switched off, by the names of their files in integration/flows: their events go to "
        'analytics only. JSON ["contact"].',
    )

    change_tracking: bool = Field(
        default=True,
        alias="CHANGE_TRACKING",
        description="Ask Dataverse every five minutes what has changed in the tables of flows that declare "
        "`change_tracking`, so that what no webhook has brought arrives nevertheless.",
    )

    systems: Systems = Field(
        alias="SYSTEMS",
        description="The other systems by name; the flows need `erp` and `credit`. JSON "
        '{"erp": {"adapter": "rest-erp", "url": "https://erp.contoso.example"}, "credit": {...}}; each key may stand '
        "in a setting of its own, such as SYSTEMS_ERP_API_KEY.",
    )
    http_timeout_seconds: float = Field(
        default=20.0,
        gt=0,
        le=120,
        alias="HTTP_TIMEOUT_SECONDS",
        description="Longest total time of one call to another system.",
    )

    outage_first_pause_seconds: float = Field(
        default=10.0,
        gt=0,
        alias="OUTAGE_FIRST_PAUSE_SECONDS",
        description="How long an unavailable system is left alone before the next try; each failure doubles it.",
    )
    outage_longest_pause_seconds: float = Field(
        default=300.0,
        gt=0,
        alias="OUTAGE_LONGEST_PAUSE_SECONDS",
        description="Upper limit of such a pause.",
    )

    retry_first_delay_seconds: float = Field(
        default=5.0,
        gt=0,
        alias="RETRY_FIRST_DELAY_SECONDS",
        description="Upper bound of the delay before the first retry; each further retry doubles it (full jitter).",
    )
    retry_longest_delay_seconds: float = Field(
        default=900.0, gt=0, alias="RETRY_LONGEST_DELAY_SECONDS", description="Upper limit of such a delay."
    )
    retry_max_attempts: int = Field(
        default=1_000,
        ge=1,
        alias="RETRY_MAX_ATTEMPTS",
        description="An event is dead-lettered after this many attempts; by default its age decides.",
    )
    retry_min_attempts: int = Field(
        default=10,
        ge=1,
        alias="RETRY_MIN_ATTEMPTS",
        description="No event is dead-lettered for its age before it has had this many attempts.",
    )
    retry_max_age_hours: float = Field(
        default=96.0,
        gt=0,
        alias="RETRY_MAX_AGE_HOURS",
        description="An event that has failed for this long is dead-lettered. Outages of whole systems do not count.",
    )
    commit_wait_seconds: float = Field(
        default=150.0,
        ge=0,
        le=600,
        alias="COMMIT_WAIT_SECONDS",
        description="How long an event that was sent inside a transaction waits for the row to show it; a transaction "
        "of Dataverse lasts two minutes at most.",
    )
    record_pace_seconds: float = Field(
        default=2.0,
        ge=0,
        le=30,
        alias="RECORD_PACE_SECONDS",
        description="Shortest time between two writes for one record, so that a burst of changes causes few writes.",
    )

    ledger_retention_months: int = Field(
        default=13,
        ge=1,
        le=120,
        alias="LEDGER_RETENTION_MONTHS",
        description="Full months for which the ledger keeps events and the records of deleted rows; older ones are "
        "removed at night. Records of existing rows are kept.",
    )

    audit_retention_months: int = Field(
        default=84,
        ge=1,
        le=240,
        alias="AUDIT_RETENTION_MONTHS",
        description="Full months for which it is kept what people did to events, tables and systems, and why; at least "
        "LEDGER_RETENTION_MONTHS.",
    )

    operator_events_url: Url | None = _optional(
        "OPERATOR_EVENTS_URL",
        "Address to which operators' events are posted as CloudEvents: backlog, breakers, exhausted retries, budgets "
        "(docs/how-to/operator-events.md). Without it there are none.",
    )
    operator_events_secret: SecretStr | None = _optional(
        "OPERATOR_EVENTS_SECRET",
        "Secret with which these events are signed (Standard Webhooks): whsec_ and the base64 of 24 to 64 bytes.",
    )
    operator_events_backlog_minutes: float = Field(
        default=30.0,
        gt=0,
        alias="OPERATOR_EVENTS_BACKLOG_MINUTES",
        description="How long the oldest event has to wait, other than for a pause that somebody wanted, until that is "
        "an operators' event.",
    )

    exchange_retention_days: int = Field(
        default=14,
        ge=0,
        le=90,
        alias="EXCHANGE_RETENTION_DAYS",
        description="Days for which it is kept what was sent to other systems and what came back at attempts that "
        "failed; only people with the role `payloads` see it. 0 keeps none.",
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from `environ`; empty values count as absent.

        In Azure, values of the examples are refused too: with the id of another organisation, for instance, every event
        would be answered with 403. Raises `ConfigurationError`, which names every setting that is missing or wrong.
        """
        given: dict[str, Any] = {alias: environ[alias] for alias in cls.names() if environ.get(alias)}
        own = {name: value for name, value in environ.items() if name.startswith(ONE)}
        problems = [
            *setting_checks.missing_alternatives(given),
            *setting_checks.unresolved(given | own),
            *setting_checks.trusted_headers(given, environ),
        ]
        if setting_checks.IN_AZURE in environ:
            problems += cls._examples(given | own)
        systems, unknown = merged(environ)
        if systems is not None:
            given[ALL] = systems
        problems += [f"{name}: belongs to no system that {ALL} names, or to none of its keys" for name in unknown]
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems += [
                f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}"
                for e in error.errors(include_input=False, include_url=False)
            ]
        else:
            callers = {*settings.intake_keys, *settings.intake_applications}
            problems += setting_checks.unknown_callers(settings.intake_rights, callers)
            problems += setting_checks.unused_tokens(settings.token_audiences, settings.intake_applications)
            problems += setting_checks.unsigned_events(settings.operator_events_secret, given)
        if problems:
            raise ConfigurationError("Settings are missing or wrong:\n  " + "\n  ".join(sorted(problems)))
        return settings

    @classmethod
    def _examples(cls, given: Mapping[str, str]) -> Iterator[str]:
        meanings = {field.alias: field.description for field in cls.model_fields.values()}
        for name, value in given.items():
            if is_example(value):
                meaning = meanings.get(name) or "The key that you got for this system."
                yield f"{name}: still has the value of an example. Set the real one: {meaning}"

    @classmethod
    def names(cls) -> list[str]:
        """The names of the settings in the environment, in documentation order."""
        return [field.alias for field in cls.model_fields.values() if field.alias]

    @property
    def address(self) -> str | None:
        """The app's own address, without a slash at its end; None where nothing says it."""
        if self.public_url is not None:
            return str(self.public_url)
        return f"https://{self.website_hostname}" if self.website_hostname else None

    @property
    def storage(self) -> Connection:
        return Connection(self.storage_connection, self.storage_account, self.storage_client_id)

    @property
    def service_bus(self) -> Connection:
        return Connection(self.service_bus_connection, self.service_bus_namespace, self.service_bus_client_id)

    @property
    def event_hubs(self) -> Connection:
        return Connection(self.event_hubs_connection, self.event_hubs_namespace, self.event_hubs_client_id)
