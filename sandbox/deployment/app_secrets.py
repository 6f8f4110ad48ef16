"""The secrets of a deployed app: what its settings refer to, what its vault has, and which version the app has read.

Everything is asked of Azure, through `az`. The answer about references (`configreferences`) is from Microsoft's
documentation and resource types, and was not seen from a real subscription.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.deployment.az import Az
from sandbox.deployment.environments import REFERENCE

_API = "api-version=2024-11-01"
_MANAGEMENT = "https://management.azure.com"
_ASK_AGAIN_SECONDS = 5.0


class NoReferencesError(Exception):
    """The app has no settings that refer to a vault: the infrastructure was not deployed, or this is another app."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that the app's settings refer to."""

    name: str
    setting: str
    version: str | None
    """The newest version in the vault; None if the secret is missing."""
    created: datetime | None
    due: datetime | None
    """When it has to have been replaced, if anybody has said so."""
    read: str | None
    """The version that the app uses; None if it has none."""
    status: str
    """What the app says of the reference: Resolved, SecretNotFound ..."""

    @property
    def is_read(self) -> bool:
        """Whether the app uses the newest version."""
        return self.version is not None and self.read == self.version


class AppSecrets:
    """The secrets of the app `name` in the resource group `group`. Methods raise `AzError`."""

    def __init__(self, az: Az, *, group: str, app: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._az = az
        self._sleep = sleep
        self._app = ("--resource-group", group, "--name", app)
        self._site: str | None = None
        settings = az.ask("functionapp", "config", "appsettings", "list", *self._app)
        found = {it["name"]: match for it in settings if (match := REFERENCE.fullmatch(str(it["value"])))}
        if not found:
            raise NoReferencesError(f"No setting of {app} refers to a Key Vault. Deploy the infrastructure first.")
        self.settings: dict[str, str] = {match[2]: setting for setting, match in found.items()}
        """The setting that refers to each secret, by the secret's name."""
        self.vault = next(iter(found.values()))[1]

    def all(self) -> list[Secret]:
        """Every secret that the app needs, in the order of its settings."""
        stored = {it["name"]: it for it in self._az.ask("keyvault", "secret", "list", "--vault-name", self.vault)}
        references = self._references()
        return [self._secret(name, stored.get(name), references) for name in self.settings]

    def value(self, name: str) -> str:
        """What the newest version of a secret has."""
        return str(self._az.ask("keyvault", "secret", "show", "--vault-name", self.vault, "--name", name)["value"])

    def store(self, name: str, value: str, *, due: datetime) -> None:
        """Make another version of a secret, and ask the app to read it.

        The value goes through a file that only its owner can read: others on this machine see the command line.
        """
        with _file_with("" if self._az.plan else value) as path:
            words = ("--vault-name", self.vault, "--name", name, "--file", str(path), "--encoding", "utf-8")
            self._az.change("keyvault", "secret", "set", *words, "--expires", f"{due:%Y-%m-%dT%H:%M:%SZ}")
        self._az.change("rest", "--method", "post", "--url", self._address("/refresh"))

    def wait_until_read(self, name: str, *, seconds: float) -> bool:
        """Whether the app uses the newest version of a secret, at the latest after so many seconds."""
        while True:
            (secret,) = [it for it in self.all() if it.name == name]
            if secret.is_read or seconds <= 0:
                return secret.is_read
            self._sleep(_ASK_AGAIN_SECONDS)
            seconds -= _ASK_AGAIN_SECONDS

    def _references(self) -> dict[str, dict[str, Any]]:
        answer = self._az.ask("rest", "--method", "get", "--url", self._address(""))
        return {it["name"]: it["properties"] for it in answer["value"]}

    def _address(self, action: str) -> str:
        if self._site is None:
            self._site = str(self._az.ask("functionapp", "show", *self._app, "--query", "id"))
        return f"{_MANAGEMENT}{self._site}/config/configreferences/appsettings{action}?{_API}"

    def _secret(self, name: str, stored: dict[str, Any] | None, references: dict[str, dict[str, Any]]) -> Secret:
        setting = self.settings[name]
        reference = references.get(setting, {})
        attributes = (stored or {}).get("attributes", {})
        newest = None
        if stored is not None:
            asked = ("keyvault", "secret", "show", "--vault-name", self.vault, "--name", name, "--query", "id")
            newest = str(self._az.ask(*asked)).rpartition("/")[2]
        return Secret(
            name=name,
            setting=setting,
            version=newest,
            created=_moment(attributes.get("created")),
            due=_moment(attributes.get("expires")),
            read=reference.get("activeVersion"),
            status=str(reference.get("status", "unknown")),
        )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@contextmanager
def _file_with(value: str) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix="secret-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(value)
        yield Path(name)
    finally:
        Path(name).unlink()
