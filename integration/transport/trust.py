"""Certificate authorities, read once.

Reading the public ones takes 25 ms of CPU; requests and urllib3 do so for every new connection.
"""

import ssl
import threading

import certifi


class Trust:
    """TLS contexts by CA file; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, verify: str | bool) -> ssl.SSLContext:
        """The context that trusts a CA file, or for True the public authorities (requests' `verify`, never False)."""
        ca_file = verify if isinstance(verify, str) else certifi.where()
        with self._lock:
            if ca_file not in self._contexts:
                self._contexts[ca_file] = ssl.create_default_context(cafile=ca_file)
            return self._contexts[ca_file]
