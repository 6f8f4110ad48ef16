"""Certificate authorities, read once, because reading the public ones takes 25 ms of CPU."""

import ssl
import threading

import certifi


class Trust:
    """TLS contexts by CA file; shared by all connections, and by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[str | None, ssl.SSLContext] = {}

    def context(self, ca_file: str | None) -> ssl.SSLContext:
        """The context that trusts a CA file, or the public authorities for None."""
        with self._lock:
            if ca_file not in self._contexts:
                self._contexts[ca_file] = ssl.create_default_context(cafile=ca_file or certifi.where())
            return self._contexts[ca_file]
