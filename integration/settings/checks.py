"""Checks of the settings that the type of a single one cannot express; each gives a sentence for all that is wrong."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from pydantic import SecretStr

from integration import signatures

_AUTHENTICATION = ("APP_SERVICE_AUTHENTICATION", "WEBSITE_AUTH_ENABLED")
_WITHOUT_KEY = frozenset({"dataverse-queue", "dataverse-topic", "dataverse-hub", "business-events-queue"})
"""Callers that are known by the way on which their messages come."""
IN_AZURE = "WEBSITE_INSTANCE_ID"
"""A variable that every instance has in Azure, and no other machine (learn.microsoft.com, App settings reference)."""


def unknown_callers(rights: Iterable[str], callers: Iterable[str]) -> Iterator[str]:
    """Rights under a misspelt name would leave their caller unrestricted."""
    for name in set(rights) - set(callers) - _WITHOUT_KEY:
        yield f"INTAKE_RIGHTS: {name} is no caller of INTAKE_KEYS or INTAKE_APPLICATIONS"


def unused_tokens(audiences: Collection[str], applications: Collection[str]) -> Iterator[str]:
    """Without an audience no token is looked at, so that such a caller would be refused for its key."""
    if applications and not audiences:
        yield "INTAKE_APPLICATIONS: these callers send tokens, so TOKEN_AUDIENCES has to say for whom the tokens are"


def unresolved(given: Mapping[str, str]) -> Iterator[str]:
    """If Key Vault does not give the secret, an app gets the text of the reference in its place."""
    for name, value in given.items():
        if value.startswith("@Microsoft.KeyVault("):
            yield f"{name}: Key Vault did not resolve the reference; check the role, the secret's name, the network"


def trusted_headers(given: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """In Azure the platform says whether its authentication is on; elsewhere nothing could keep the header out."""
    trusted, on = (given.get(name, "").lower() in {"1", "true"} for name in _AUTHENTICATION)
    if trusted and not on and IN_AZURE in environ:
        yield (
            "APP_SERVICE_AUTHENTICATION: App Service Authentication is off (WEBSITE_AUTH_ENABLED), so anybody could "
            "claim to be an administrator. Switch it on, or leave this setting out."
        )


def unsigned_events(secret: SecretStr | None, given: Mapping[str, str]) -> Iterator[str]:
    """Operators' events go one way, and what is posted is signed."""
    if {"OPERATOR_EVENTS_URL", "OPERATOR_EVENTS_EVENT_GRID_ENDPOINT"} <= given.keys():
        yield "OPERATOR_EVENTS_URL and OPERATOR_EVENTS_EVENT_GRID_ENDPOINT: set one; Event Grid can post, too"
    if ("OPERATOR_EVENTS_URL" in given) != (secret is not None):
        yield "OPERATOR_EVENTS_URL and OPERATOR_EVENTS_SECRET: set both, or none of them"
    elif secret is not None:
        try:
            signatures.secret_of(secret.get_secret_value())
        except ValueError as error:
            yield f"OPERATOR_EVENTS_SECRET: {error}"


def missing_alternatives(given: Mapping[str, str]) -> Iterator[str]:
    """Settings of which one or the other is required, which the type of a single field cannot express."""
    for name, suffix in (
        ("AzureWebJobsStorage", "accountName"),
        ("ServiceBus", "fullyQualifiedNamespace"),
        ("EventHubs", "fullyQualifiedNamespace"),
    ):
        if name not in given and f"{name}__{suffix}" not in given:
            yield f"{name}: a connection string is required, or {name}__{suffix} to use the managed identity"
    for name, entities in (
        ("DataverseServiceBus", ("DATAVERSE_QUEUE", "DATAVERSE_TOPIC")),
        ("DataverseEventHubs", ("DATAVERSE_HUB",)),
        ("BusinessEventsServiceBus", ("BUSINESS_EVENTS_QUEUE",)),
        ("Fabric", ("FABRIC_HUB_NAME",)),
    ):
        named = [it for it in entities if it in given]
        if named and name not in given and f"{name}__fullyQualifiedNamespace" not in given:
            yield (
                f"{name}: {named[0]} is set, so a connection string is required, or {name}__fullyQualifiedNamespace to "
                "use the managed identity"
            )
    for one, other in (
        ("DATAVERSE_TOPIC", "DATAVERSE_SUBSCRIPTION"),
        ("LOG_ANALYTICS_ENDPOINT", "LOG_ANALYTICS_RULE"),
        ("LOG_ANALYTICS_CLIENT_SECRET", "LOG_ANALYTICS_TOKEN_URL"),
    ):
        if (one in given) != (other in given):
            yield f"{one} and {other}: set both, or none of them"


def no_collector(given: Mapping[str, str]) -> Iterator[str]:
    """Without an address, OTLP goes to a collector on the same machine, and an instance in Azure has none."""
    names = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER")
    if "otlp" in {given.get(name) for name in names} and "OTEL_EXPORTER_OTLP_ENDPOINT" not in given:
        yield "OTEL_EXPORTER_OTLP_ENDPOINT: the address of the collector is needed for otlp"
