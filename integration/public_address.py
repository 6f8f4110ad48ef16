"""The app's address as its callers know it."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

POLL_SECONDS = 5
"""Seconds after which a client that waits for the end of an event should ask again."""

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)


class PublicAddress:
    """Makes absolute addresses of the app's routes.

    `base` is the configured one (PUBLIC_URL). Without it the address of the request is used; a proxy in between (the
    front end of App Service, a gateway) says in X-Forwarded-Proto and X-Forwarded-Host what it was called with.
    """

    def __init__(self, base: str | None) -> None:
        self._base = base

    def of_status(self, event_id: str, url: str, headers: Mapping[str, str]) -> str:
        """The address of an event's status for support; as `of_outcome`."""
        return f"{self.of_app(url, headers)}/api/operations/{event_id}"

    def of_outcome(self, event_id: str, url: str, headers: Mapping[str, str]) -> str:
        """Where the sender of a request to `url` waits for the end of its event; header names in lower case."""
        return f"{self.of_app(url, headers)}/api/events/{event_id}/outcome"

    def of_app(self, url: str, headers: Mapping[str, str]) -> str:
        """The app's own address, for the sender of a request to `url`; header names in lower case."""
        return self._base or _asked(url, headers)


def _asked(url: str, headers: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    scheme = _first(headers.get("x-forwarded-proto")).lower()
    host = _first(headers.get("x-forwarded-host"))
    return (
        f"{scheme if scheme in ('http', 'https') else parts.scheme}://{host if _HOST.fullmatch(host) else parts.netloc}"
    )


def _first(header: str | None) -> str:
    """Each proxy appends its own after a comma; the first one is what the caller used."""
    return (header or "").partition(",")[0].strip()
