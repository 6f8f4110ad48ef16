"""Checks a deployed app: whether it answers, its health, and whether it accepts the keys."""

from collections.abc import Iterator

import requests

from sandbox.doctor.finding import OK, Finding, note, ok, wrong

_SECONDS = 60
"""A Flex Consumption app that has no instance takes some seconds to start one."""
_NO_EVENT = "000000000000-00000000000000000000000000000000"
_REMEDIES = {
    "workQueue": "Look at the ServiceBus settings, the identity's roles on the queue, and the network.",
    "eventHub": "Look at the EventHubs settings, the identity's roles on the hub, and the network.",
    "ledger": "Look at the AzureWebJobsStorage settings, the identity's role for tables, and the network.",
}

KEYS = {"intake": "INTAKE_KEYS", "operations": "OPERATIONS_KEYS"}
"""The settings that have the keys of callers."""


class DeployedApp:
    """The app at `url`, a base URL without a trailing slash."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def findings(self, intake: dict[str, str], operations: dict[str, str]) -> Iterator[Finding]:
        """Health first, then each key by the name of its caller; nothing that is sent can become an event."""
        try:
            health = self._session.get(f"{self._url}/api/health", timeout=_SECONDS)
        except requests.exceptions.SSLError as error:
            yield wrong("app", f"{self._url}: its certificate is refused ({error})", "Check the address.")
            return
        except requests.RequestException as error:
            yield wrong(
                "app", f"{self._url} does not answer ({type(error).__name__})", "Check the address and the network."
            )
            return
        reported = list(self._health(health))
        yield from reported
        if reported[0].state == OK:
            yield self._without_key()
            for caller, key in intake.items():
                yield self._intake(caller, key)
            for caller, key in operations.items():
                yield self._operations(caller, key)

    def _health(self, answer: requests.Response) -> Iterator[Finding]:
        if answer.status_code == requests.codes.not_found:
            yield wrong(
                "app",
                f"{answer.url} answers 404",
                "No functions run there. Check the address; the app's log says why it does not start.",
            )
            return
        if answer.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
            yield wrong(
                "app",
                f"{answer.url} answers {answer.status_code}",
                "The network does not admit you (accessRules), or App Service authentication is on.",
            )
            return
        try:
            report = answer.json()
            checks = dict(report["checks"])
        except (ValueError, KeyError, TypeError):
            yield wrong("app", f"{answer.url} answers {answer.status_code} without a report", "Look at the app's log.")
            return
        version = f", version {report['version']}" if "version" in report else ""
        yield ok("app", f"{self._url} answers{version}")
        for name, state in checks.items():
            if state == "ok":
                yield ok(name, "can be reached")
            else:
                yield wrong(name, str(state), _REMEDIES.get(name, "Look at the app's log."))

    def _without_key(self) -> Finding:
        status = self._post(None)
        if status == requests.codes.unauthorized:
            return ok("intake without a key", "is refused (401)")
        return wrong("intake without a key", f"answers {status}, not 401", "Check the deployed version.")

    def _intake(self, caller: str, key: str) -> Finding:
        """The app checks the key before the body: plain text is then refused with 415, and never becomes an event."""
        what, status = f"intake key of {caller}", self._post(key)
        if status == requests.codes.unsupported_media_type:
            return ok(what, "is accepted")
        if status == requests.codes.unauthorized:
            return wrong(
                what,
                "is refused (401)",
                f"{KEYS['intake']} of the app has another key, or the app has not read the new one yet.",
            )
        return note(what, f"answers {status}", "Look at the app's log.")

    def _operations(self, caller: str, key: str) -> Finding:
        what = f"operations key of {caller}"
        headers = {"x-functions-key": key}
        answer = self._session.get(f"{self._url}/api/operations/{_NO_EVENT}", headers=headers, timeout=_SECONDS)
        if answer.status_code == requests.codes.not_found:
            return ok(what, "is accepted")
        if answer.status_code == requests.codes.unauthorized:
            return wrong(what, "is refused (401)", f"{KEYS['operations']} of the app has another key.")
        return note(what, f"answers {answer.status_code}", "Look at the app's log.")

    def _post(self, key: str | None) -> int:
        headers = {"Content-Type": "text/plain"} | ({} if key is None else {"x-functions-key": key})
        answer = self._session.post(
            f"{self._url}/api/dataverse/webhook", data=b"doctor", headers=headers, timeout=_SECONDS
        )
        return answer.status_code
