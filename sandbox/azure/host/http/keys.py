"""Access keys and authorization levels.

Sources: azure-functions-host AuthenticationLevelHandler.cs, SecretManager.cs, AuthUtility.cs.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.azure.host.errors import HostStartError


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The keys of a host; with `enforced` off nothing is checked, as under `func start`."""

    enforced: bool = False
    master: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    functions: Mapping[str, tuple[str, ...]] | None = None

    @classmethod
    def load(cls, file: Path | None) -> "AccessKeys":
        """Read `{"masterKey": "..", "functionKeys": {"default": ".."}, "functions": {"Name": {"default": ".."}}}`.

        Without a file no key is asked for. Raises `HostStartError` for a file that is not of this form.
        """
        if file is None:
            return cls()
        try:
            document: Any = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                enforced=True,
                master=(str(document["masterKey"]),),
                host=tuple(document.get("functionKeys", {}).values()),
                functions={name.lower(): tuple(keys.values()) for name, keys in document.get("functions", {}).items()},
            )
        except OSError as error:
            raise HostStartError(f"Cannot read the keys file {file}: {error.strerror}.") from error
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise HostStartError(
                f"The keys file {file} is not of the form that docs/reference/sandbox-host.md shows."
            ) from error

    def is_admin(self, key: str | None) -> bool:
        """Whether `key` is the master key."""
        return not self.enforced or _among(key, self.master)

    def allows(self, level: str, function: str, key: str | None) -> bool:
        """Whether `key` opens `function` at its auth level (`anonymous`, `function`, `admin`)."""
        if not self.enforced or level == "anonymous":
            return True
        if self.is_admin(key):
            return True
        if level != "function":
            return False
        own = (self.functions or {}).get(function.lower(), ())
        return _among(key, self.host) or _among(key, own)


def _among(key: str | None, keys: Iterable[str]) -> bool:
    return key is not None and any(hmac.compare_digest(key.encode(), known.encode()) for known in keys)
