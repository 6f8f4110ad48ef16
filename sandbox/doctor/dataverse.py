"""Checks the Dataverse environment that a settings file names: sign-in, organisation, columns, steps."""

import json
from collections.abc import Iterator
from typing import Any

import requests

from sandbox.doctor.finding import Finding, note, ok, wrong
from sandbox.doctor.settings_file import SettingsFile
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import DataverseClient
from sandbox.running.registration import steps
from sandbox.systems.dataverse import declared_flows
from sandbox.terminal.words import listed

_SECONDS = 20
_PREFIX = "new"
_REMEDIES = {
    "AADSTS7000215": "The client secret is wrong. Take the secret's value, not its id.",
    "AADSTS7000222": "The client secret has expired. Create a new one.",
    "AADSTS700016": "There is no such application in this tenant. Check client id and tenant id.",
    "AADSTS90002": "There is no such tenant. Check DATAVERSE_TENANT_ID.",
}
"""Error codes of Entra ID (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes")."""


class Environment:
    """Checks the environment with the sign-in of the settings."""

    def __init__(self, settings: SettingsFile) -> None:
        self._settings = settings
        self._url = settings.get("DATAVERSE_URL").rstrip("/")
        self._session: requests.Session | None = None

    def findings(self, app: str | None) -> Iterator[Finding]:
        """Sign-in first; the rest only with it. `app` is the address that the webhook should call."""
        if not self._url:
            yield note("Dataverse", "DATAVERSE_URL is not set")
            return
        if not self._settings.get("DATAVERSE_CLIENT_SECRET"):
            yield note(
                "Dataverse sign-in",
                "there is no client secret, so the app signs in with its managed identity",
                "That cannot be tried from here. If it fails, events wait with the reason dataverse-sign-in-refused.",
            )
            return
        try:
            yield from self._signed_in()
            if self._session is not None:
                yield from self._identity(self._session)
                yield from self._columns(self._session)
                yield from self._steps(self._session, app)
        except requests.RequestException as error:
            yield wrong(
                "Dataverse",
                f"{self._url} cannot be reached: {type(error).__name__}",
                "Check DATAVERSE_URL and the network.",
            )

    def _signed_in(self) -> Iterator[Finding]:
        client = DataverseClient(
            tenant=self._settings.get("DATAVERSE_TENANT_ID"),
            client_id=self._settings.get("DATAVERSE_CLIENT_ID"),
            secret=self._settings.get("DATAVERSE_CLIENT_SECRET"),
            authority=(self._settings.get("DATAVERSE_AUTHORITY") or "https://login.microsoftonline.com").rstrip("/"),
            ca_file=self._settings.get("DATAVERSE_CA_FILE") or requests.utils.DEFAULT_CA_BUNDLE_PATH,
        )
        try:
            self._session = sign_in(self._url, client)
        except requests.HTTPError as error:
            said = "" if error.response is None else error.response.text
            code = next((code for code in _REMEDIES if code in said), "")
            seen = _description(said) or str(error)
            yield wrong("Dataverse sign-in", seen, _REMEDIES.get(code, "Check tenant id, client id and client secret."))
        else:
            yield ok("Dataverse sign-in", f"a token for {self._url}")

    def _identity(self, session: requests.Session) -> Iterator[Finding]:
        answer = self._get(session, "WhoAmI")
        if not answer.ok:
            self._session = None
            yield wrong(
                "application user",
                f"WhoAmI answers {answer.status_code}",
                "run.py dataverse apply makes the application user, and gives it its role.",
            )
            return
        who = answer.json()
        yield self._same("organisation id", "DATAVERSE_ORGANISATION", who["OrganizationId"])

    def _same(self, what: str, setting: str, real: str) -> Finding:
        given = self._settings.get(setting)
        if not given:
            return note(what, f"{setting} is not set; WhoAmI says {real}", f"Set {setting}={real}")
        if given.lower() != real.lower():
            return wrong(what, f"{setting} is {given}, WhoAmI says {real}", f"Set {setting}={real}")
        return ok(what, real)

    def _columns(self, session: requests.Session) -> Iterator[Finding]:
        if self._session is None:
            return
        prefix = self._settings.get("PUBLISHER_PREFIX") or _PREFIX
        for table, columns in _result_columns(prefix).items():
            missing = []
            for column in columns:
                path = f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')"
                answer = self._get(session, f"{path}?$select=LogicalName")
                if answer.status_code == requests.codes.forbidden:
                    yield note(f"columns of {table}", "the application user may not read definitions")
                    break
                if answer.status_code == requests.codes.not_found:
                    missing.append(column)
            else:
                if missing:
                    yield wrong(
                        f"columns of {table}",
                        f"{listed(missing)} {'does' if len(missing) == 1 else 'do'} not exist",
                        "run.py dataverse apply creates them; PUBLISHER_PREFIX must be the solution's.",
                    )
                else:
                    yield ok(f"columns of {table}", f"all {len(columns)} are there")

    def _steps(self, session: requests.Session, app: str | None) -> Iterator[Finding]:
        if self._session is None or app is None:
            return
        answer = self._get(session, "serviceendpoints?$select=name,url&$filter=contract eq 8")
        if not answer.ok:
            yield note("webhook", f"the application user may not read it ({answer.status_code})")
            return
        ours = [it for it in answer.json()["value"] if str(it.get("url", "")).lower().startswith(app.lower())]
        if not ours:
            yield wrong("webhook", f"no service endpoint calls {app}", "run.py dataverse apply registers it.")
            return
        yield ok("webhook", f"{ours[0]['name']} calls {ours[0]['url']}")
        endpoint = ours[0]["serviceendpointid"]
        found = self._get(
            session,
            "sdkmessageprocessingsteps?$select=name,statecode&$expand=sdkmessageid($select=name),"
            f"sdkmessagefilterid($select=primaryobjecttypecode)&$filter=_eventhandler_value eq {endpoint}",
        )
        yield _judged(found.json()["value"]) if found.ok else note("steps", f"cannot be read ({found.status_code})")

    def _get(self, session: requests.Session, path: str) -> requests.Response:
        return session.get(f"{self._url}/api/data/v9.2/{path}", timeout=_SECONDS)


def _judged(registered: list[dict[str, Any]]) -> Finding:
    enabled = {
        (it["sdkmessagefilterid"]["primaryobjecttypecode"], it["sdkmessageid"]["name"])
        for it in registered
        if it["statecode"] == 0 and it.get("sdkmessagefilterid") and it.get("sdkmessageid")
    }
    missing = [f"{step.message} of {step.table}" for step in steps() if (step.table, step.message) not in enabled]
    if missing:
        return wrong("steps", f"none is enabled for {listed(missing)}", "run.py dataverse apply registers them.")
    return ok("steps", f"{len(enabled)} are enabled")


def _result_columns(prefix: str) -> dict[str, list[str]]:
    """The integration's own columns by table, with the prefix of the publisher."""
    found: dict[str, list[str]] = {}
    for flow in declared_flows.flows():
        for it in flow.result_attributes:
            found.setdefault(flow.table, []).append(it["LogicalName"].replace(f"{_PREFIX}_", f"{prefix}_", 1))
    return found


def _description(text: str) -> str:
    """The first line of what Entra says."""
    try:
        return str(json.loads(text)["error_description"]).splitlines()[0]
    except (ValueError, KeyError, TypeError, IndexError):
        return ""
