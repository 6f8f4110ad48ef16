"""Every app setting, once: its name in the environment, its type, its default and its meaning.

Settings are read from a mapping (the process environment in Azure and under `func start`). One message names everything
that is missing or wrong; values are never shown, because they may be secrets.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import ValidationError

from integration.errors import ConfigurationError
from integration.settings import checks
from integration.settings.azure import AzureServices
from integration.settings.dataverse import Dataverse
from integration.settings.intake import Intake
from integration.settings.operations import Operations
from integration.settings.part import Part
from integration.settings.service_endpoints import ServiceEndpoints
from integration.settings.settled import SettledEvents
from integration.settings.systems import ALL, ONE, merged
from integration.settings.telemetry import Telemetry
from integration.settings.types import Connection, is_example
from integration.settings.virtual_tables import VirtualTables
from integration.settings.work import Work


class Settings(
    AzureServices,
    Intake,
    ServiceEndpoints,
    Dataverse,
    Work,
    SettledEvents,
    Operations,
    VirtualTables,
    Telemetry,
):
    """The app's settings; read once at start with `Settings.from_environment(os.environ)`."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from `environ`; empty values count as absent.

        In Azure, values of the examples are refused too: with the id of another organisation, for instance, every event
        would be answered with 403. Raises `ConfigurationError`, which names every setting that is missing or wrong.
        """
        given: dict[str, Any] = {alias: environ[alias] for alias in cls.names() if environ.get(alias)}
        own = {name: value for name, value in environ.items() if name.startswith(ONE)}
        problems = [
            *checks.missing_alternatives(given),
            *checks.unresolved(given | own),
            *checks.trusted_headers(given, environ),
        ]
        if checks.IN_AZURE in environ:
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
            problems += checks.unknown_callers(settings.intake_rights, callers)
            problems += checks.unused_tokens(settings.token_audiences, settings.intake_applications)
            problems += checks.unsigned_events(settings.operator_events_secret, given)
            problems += checks.no_collector(given)
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
    def parts(cls) -> list[type[Part]]:
        """The parts of the settings, in the order of the documentation."""
        return [part for part in cls.__bases__ if issubclass(part, Part)]

    @classmethod
    def names(cls) -> list[str]:
        """The names of the settings in the environment, in the order of the documentation."""
        return [field.alias for part in cls.parts() for field in part.model_fields.values() if field.alias]

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
