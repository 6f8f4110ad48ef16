"""Who may see and repair, what is told to operators, and how long things are kept."""

from pydantic import Field, Json, SecretStr

from integration.settings.part import Part, optional
from integration.settings.types import Callers, Role, Url


class Operations(Part):
    """Who may see and repair, what is told to operators, and how long things are kept."""

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
    trace_url: str | None = optional(
        "TRACE_URL",
        "Address of the page that shows the trace of an event, with {event_id} and {correlation_id} in it; "
        "the console links to it.",
    )
    operator_events_url: Url | None = optional(
        "OPERATOR_EVENTS_URL",
        "Address to which operators' events are posted as CloudEvents: backlog, breakers, exhausted retries, budgets, "
        "drift (docs/how-to/operator-events.md). Without it and without a topic of Event Grid there are none.",
    )
    operator_events_secret: SecretStr | None = optional(
        "OPERATOR_EVENTS_SECRET",
        "Secret with which these events are signed (Standard Webhooks): whsec_ and the base64 of 24 to 64 bytes.",
    )
    operator_events_event_grid_endpoint: Url | None = optional(
        "OPERATOR_EVENTS_EVENT_GRID_ENDPOINT",
        "Instead of that address: a topic of Event Grid to which operators' events are published, without a query, as "
        "in EVENT_GRID_ENDPOINT. It may be the same topic.",
    )
    operator_events_event_grid_key: SecretStr | None = optional(
        "OPERATOR_EVENTS_EVENT_GRID_KEY", "Key of that topic; without it the managed identity is used."
    )
    operator_events_event_grid_client_id: str | None = optional(
        "OPERATOR_EVENTS_EVENT_GRID_CLIENT_ID", "Client id of the user-assigned identity for that topic."
    )
    operator_events_backlog_minutes: float = Field(
        default=30.0,
        gt=0,
        alias="OPERATOR_EVENTS_BACKLOG_MINUTES",
        description="How long the oldest event has to wait, other than for a pause that somebody wanted, until that is "
        "an operators' event.",
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
        description="Full months for which the audit keeps what people did to events, tables and systems, and why; at "
        "least LEDGER_RETENTION_MONTHS.",
    )
    exchange_retention_days: int = Field(
        default=14,
        ge=0,
        le=90,
        alias="EXCHANGE_RETENTION_DAYS",
        description="Days for which the ledger keeps what was sent to other systems, and what came back, at attempts "
        "that failed; only people with the role `payloads` see it. 0 keeps none.",
    )
