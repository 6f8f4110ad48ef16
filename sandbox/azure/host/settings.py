"""App settings: the environment, filled up from local.settings.json as `func start` does."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.azure.host.amqp.connection_string import NamespaceConnection
from sandbox.azure.host.errors import HostStartError

_REFERENCE = re.compile(r"%([^%]+)%")


class AppSettings:
    """Settings by name, in any case; `:` and `__` are the same separator, as in .NET configuration."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {_canonical(name): value for name, value in values.items()}

    @classmethod
    def load(cls, file: Path | None) -> "AppSettings":
        """The environment, and what it does not set from `Values` in `file`.

        The file's values also go into the environment of this process: function code reads them there.
        """
        if file is not None:
            for name, value in _file_values(file).items():
                os.environ.setdefault(name, value)
        return cls(os.environ)

    def get(self, name: str) -> str | None:
        """The setting, or None when it is absent or empty."""
        return self._values.get(_canonical(name)) or None

    def below(self, name: str) -> dict[str, str]:
        """The settings whose names begin with this one and a separator, by the rest of their names."""
        head = _canonical(f"{name}:")
        return {it.removeprefix(head): value for it, value in self._values.items() if it.startswith(head)}

    def is_true(self, name: str) -> bool:
        """Whether the setting is `true` or `1`."""
        return (self.get(name) or "").lower() in {"true", "1"}

    def resolve(self, text: str) -> str:
        """Replace every `%Setting%` in `text`; raises `HostStartError` for one that is not set."""

        def value_of(match: re.Match[str]) -> str:
            value = self.get(match[1])
            if value is None:
                raise HostStartError(f"'%{match[1]}%' does not resolve to a value: set the app setting '{match[1]}'.")
            return value

        return _REFERENCE.sub(value_of, text)

    def storage(self) -> str:
        """The connection string of the host's own storage account."""
        value = self.get("AzureWebJobsStorage")
        if value is not None:
            return value
        if self.get("AzureWebJobsStorage__accountName") or self.get("AzureWebJobsStorage__blobServiceUri"):
            raise HostStartError(_no_entra("AzureWebJobsStorage"))
        raise HostStartError("Missing value for AzureWebJobsStorage: every trigger but HTTP and Service Bus needs it.")

    def namespace(self, connection: str) -> NamespaceConnection:
        """The namespace behind a binding's `connection`: setting `AzureWebJobs{connection}` or `{connection}`."""
        name = self.resolve(connection)
        for setting in (f"AzureWebJobs{name}", name):
            value = self.get(setting)
            if value is not None:
                return NamespaceConnection.parse(value, setting)
            if self.get(f"{setting}__fullyQualifiedNamespace"):
                raise HostStartError(_no_entra(setting))
        raise HostStartError(
            f"Connection '{name}' does not exist: set the app setting '{name}' to a connection string."
        )


def _no_entra(setting: str) -> str:
    return (
        f"Setting '{setting}' asks for an identity-based connection. There is no Microsoft Entra ID here: "
        f"set '{setting}' to a connection string."
    )


def _canonical(name: str) -> str:
    return name.replace("__", ":").lower()


def _file_values(file: Path) -> dict[str, str]:
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise HostStartError(f"Cannot read the settings file {file}: {error.strerror}.") from error
    except ValueError as error:
        raise HostStartError(f"{file} is not JSON: {error}.") from error
    values = document.get("Values") if isinstance(document, dict) else None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise HostStartError(f"{file} has no object 'Values' whose values are all strings.")
    return values
