"""The flows and the systems they call, and when a call or an event is tried again."""

from pydantic import Field, Json

from integration.settings.part import Part
from integration.settings.systems import Systems


class Work(Part):
    """The flows and the systems they call, and when a call or an event is tried again."""

    flows_off: Json[list[str]] = Field(
        default_factory=list,
        alias="FLOWS_OFF",
        description="Flows that are switched off, by the names of their files in integration/flows: their events go to "
        'analytics only. JSON ["contact"].',
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
