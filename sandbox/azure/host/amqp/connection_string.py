"""Connection strings of Service Bus and Event Hubs namespaces, and the SAS tokens made from them."""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from sandbox.azure.host.errors import HostStartError

_TOKEN_LIFETIME = 3600  # seconds; the SDKs ask for an hour too


@dataclass(frozen=True, slots=True)
class NamespaceConnection:
    """Where a namespace listens and the shared access key for it. `tls` is off for development emulators only."""

    host: str
    port: int
    key_name: str
    key: str
    tls: bool
    entity_path: str | None = None

    @classmethod
    def parse(cls, text: str, setting: str) -> "NamespaceConnection":
        """Read a connection string; `setting` names it in the `HostStartError` that a malformed one raises."""
        parts: dict[str, str] = {}
        for part in filter(None, (piece.strip() for piece in text.split(";"))):
            name, _, value = part.partition("=")
            parts[name.strip().lower()] = value.strip()
        missing = [
            name for name in ("Endpoint", "SharedAccessKeyName", "SharedAccessKey") if not parts.get(name.lower())
        ]
        if missing:
            raise HostStartError(f"The connection string in setting '{setting}' has no {', '.join(missing)}.")
        endpoint = urlsplit(parts["endpoint"])
        if not endpoint.hostname:
            raise HostStartError(f"The Endpoint of the connection string in setting '{setting}' names no host.")
        emulator = parts.get("usedevelopmentemulator", "").lower() == "true"
        return cls(
            host=endpoint.hostname,
            port=endpoint.port or (5672 if emulator else 5671),
            key_name=parts["sharedaccesskeyname"],
            key=parts["sharedaccesskey"],
            tls=not emulator,
            entity_path=parts.get("entitypath"),
        )

    @property
    def namespace(self) -> str:
        """The fully qualified namespace, as it stands in trigger metadata and checkpoint names."""
        return self.host

    def audience(self, entity: str) -> str:
        """The resource a token for `entity` is made out to."""
        return f"sb://{self.host}/{entity}"

    def token(self, entity: str) -> tuple[str, int]:
        """A SAS token for `entity` and when it expires (seconds since 1970)."""
        expiry = int(time.time()) + _TOKEN_LIFETIME
        resource = quote(self.audience(entity), safe="")
        digest = hmac.new(self.key.encode(), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
        signature = quote(base64.b64encode(digest), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={self.key_name}", expiry
