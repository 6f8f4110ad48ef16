"""The controls that every HTTP stand-in has: faults on request, and the log of requests."""

from typing import Any

import requests

_TIMEOUT = 10.0


class StandIn:
    """The controls of the stand-in at `url`. One thread at a time."""

    def __init__(self, url: str, session: requests.Session | None = None) -> None:
        self.url = url
        self._session = session or requests.Session()
        self._session.trust_env = False

    def add_fault(self, match: str, **fault: Any) -> None:
        """Make requests fail that `match` (METHOD and a path pattern), with the fields of `http_server.Fault`."""
        self._control("POST", "faults", json={"match": match, **fault})

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are armed."""
        found: list[dict[str, Any]] = self._control("GET", "faults").json()
        return found

    def clear_faults(self) -> None:
        """Let everything work again."""
        self._control("DELETE", "faults")

    def received(self) -> list[dict[str, Any]]:
        """Recent requests, oldest first: at, method, path, status, headers."""
        found: list[dict[str, Any]] = self._control("GET", "requests").json()
        return found

    def forget(self) -> None:
        """Forget the requests so far."""
        self._control("DELETE", "requests")

    def effects(self) -> list[dict[str, Any]]:
        """ERP: the effects that were really done, oldest first (kind, id, number, key, body)."""
        found: list[dict[str, Any]] = self._control("GET", "ledger").json()["effects"]
        return found

    def settled(self) -> list[dict[str, Any]]:
        """Event Grid: the events that it has taken."""
        found: list[dict[str, Any]] = self._control("GET", "events").json()
        return found

    def table(self) -> list[dict[str, Any]]:
        """Log Analytics: the rows of the table."""
        found: list[dict[str, Any]] = self._control("GET", "rows").json()
        return found

    def charges(self) -> list[dict[str, Any]]:
        """Credit scoring: what was charged."""
        found: list[dict[str, Any]] = self._control("GET", "charges").json()["charges"]
        return found

    def _control(self, method: str, path: str, **arguments: Any) -> requests.Response:
        answer = self._session.request(method, f"{self.url}/control/{path}", timeout=_TIMEOUT, **arguments)
        answer.raise_for_status()
        return answer
