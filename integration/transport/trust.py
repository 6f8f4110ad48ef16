"""Certificate authorities and client certificates, read once.

Reading the public authorities takes 25 ms of CPU.
"""

import ssl
import tempfile
import threading
from pathlib import Path

import certifi

from integration.errors import ConfigurationError


class Trust:
    """TLS contexts by CA file and client certificate; shared by all connections, and by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[tuple[str | None, str | None], ssl.SSLContext] = {}

    def context(self, ca_file: str | None, client_certificate: str | None = None) -> ssl.SSLContext:
        """The context that trusts a CA file, or the public authorities for None.

        It shows `client_certificate` (PEM, with its private key). Raises `ConfigurationError` where that cannot be
        read.
        """
        with self._lock:
            key = (ca_file, client_certificate)
            if key not in self._contexts:
                context = ssl.create_default_context(cafile=ca_file or certifi.where())
                if client_certificate is not None:
                    _show(context, client_certificate)
                self._contexts[key] = context
            return self._contexts[key]


def _show(context: ssl.SSLContext, certificate: str) -> None:
    """Python takes a certificate from a file only: one that nobody else can read, for as long as that takes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "client.pem")
        file.touch(mode=0o600)
        file.write_text(certificate, encoding="ascii")
        try:
            context.load_cert_chain(file)
        except ssl.SSLError as error:
            raise ConfigurationError(f"A client certificate cannot be read: {error.reason}") from None
