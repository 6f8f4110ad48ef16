"""The comparison of the environment with its declaration, from the settings and from two files of the package.

Both are the files of `run.py dataverse`. They hold no secret, and no person signs in: the app uses its own sign-in.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from integration import checks, flows
from integration.clock import Clock
from integration.composition.virtual_tables import served_sets
from integration.errors import ConfigurationError
from integration.flow.discovery import all_in
from integration.operations.drift import DriftReports
from integration.registration.declaration import Values, read_declaration, read_values
from integration.registration.drift import DriftCheck
from integration.registration.environment import Environment
from integration.registration.served_metadata import ServedType, parsed
from integration.registration.web_api import WebApi
from integration.settings import Settings
from integration.synchronous import checks_in
from integration.transport import Authorizer, Sender
from integration.virtual_tables import sets
from integration.virtual_tables.csdl import metadata
from integration.virtual_tables.discovery import sets_in

_PACKAGE: Final = Path(__file__).resolve().parents[2]
_DECLARATION: Final = "dataverse.toml"


def build_drift_check(
    settings: Settings, file: str, sender: Sender, tokens: Authorizer, *, reports: DriftReports, clock: Clock
) -> DriftCheck:
    """`file` is that of the environment, as a path from the folder of function_app.py.

    Nothing is read before the first comparison.
    """

    def open_environment() -> Environment:
        values = read_values(_PACKAGE / file)
        _check(values, settings, file)
        declaration = read_declaration(_PACKAGE / _DECLARATION)
        api = WebApi(sender, tokens, str(values.url))
        return Environment(
            api,
            list(all_in(flows).values()),
            declaration,
            values,
            today=lambda: clock.now().date(),
            checks=checks_in(checks),
            sets=list(sets_in(sets).values()),
            served=served if values.virtual_tables_url is not None else None,
        )

    async def served() -> Mapping[str, ServedType]:
        """What this app serves: nobody has to be asked for it."""
        return parsed(metadata(served_sets(settings)))

    return DriftCheck(open_environment, reports, clock)


def _check(values: Values, settings: Settings, file: str) -> None:
    """The package has the files of all environments; one of another environment would report differences in vain."""
    for name, given, own in (
        ("url", str(values.url), str(settings.dataverse_url)),
        ("publisher-prefix", values.publisher_prefix, settings.publisher_prefix),
    ):
        if given.rstrip("/") != own.rstrip("/"):
            raise ConfigurationError(f"{file} has {name} = {given}, and the app works with {own}: name its own file")
