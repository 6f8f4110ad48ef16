"""The console as a whole: who asks, which page answers, and what every answer has in common."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import azure.functions as func

from integration import __version__
from integration.console import html
from integration.console.asking import ROOT, Answer, Ask, Download, Page, Redirect, Route, address, read_form
from integration.console.pages import (
    access,
    audit,
    bulk,
    causes,
    edit,
    event,
    events,
    overview,
    queue,
    reconciliation,
    set_aside,
    systems,
)
from integration.console.parts import Parts
from integration.console.sessions import cookie, session_of
from integration.errors import Rejected, Transient, Unavailable
from integration.operations.forgery import check_form
from integration.operations.rights import NEEDED, Person, Right
from integration.telemetry import get_logger

ROUTES: Final[tuple[Route, ...]] = (
    *overview.ROUTES,
    *causes.ROUTES,
    *events.ROUTES,
    *event.ROUTES,
    *edit.ROUTES,
    *bulk.ROUTES,
    *systems.ROUTES,
    *queue.ROUTES,
    *reconciliation.ROUTES,
    *set_aside.ROUTES,
    *audit.ROUTES,
    *access.ROUTES,
)
"""What can be asked for; the first that matches answers."""
_NOBODY: Final = Person("", frozenset())
_YEAR: Final = 365 * 86_400
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_log = get_logger(__name__)


class Site:
    """Answers every request below /api/console; never raises."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def answer(self, request: func.HttpRequest) -> func.HttpResponse:
        """The page that is asked for, or one that says why it cannot be shown."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.route_params.get("path", "").strip("/")
        if path.startswith("assets/"):
            return _asset(path.rpartition("/")[2])
        person = _NOBODY
        try:
            person = await self._person(headers) or _NOBODY
            return await self._answer(request, headers, path, person)
        except Rejected as refused:
            page = Page("problem.html", {"title": refused.title, "detail": refused.detail, "faults": refused.faults},
                        refused.status)  # fmt: skip
        except (Transient, Unavailable) as error:
            _log.warning("operations-unavailable", error=error)
            detail = f"{error} Nothing is lost, and nothing was done twice: try again in a moment."
            page = Page("problem.html", {"title": "This cannot be shown now", "detail": detail, "faults": ()}, 503)
        except Exception as error:  # noqa: BLE001 -- a defect of ours is shown as one, without its inside
            _log.error("page-failed", error=error)
            detail = "It is a defect of the app. The log has it under the word page-failed."
            page = Page("problem.html", {"title": "This page has failed", "detail": detail, "faults": ()}, 500)
        return self._page(page, Ask(person, request.method, path))

    async def _answer(
        self, request: func.HttpRequest, headers: Mapping[str, str], path: str, person: Person
    ) -> func.HttpResponse:
        own = self._parts.address.of_app(request.url, headers)
        form: dict[str, str] = {}
        if request.method == "POST":
            check_form(headers, own)
            form = read_form(request.get_body())
        ask = Ask(person, request.method, path, params=dict(request.params), form=form)
        if path in ("sign-in", "sign-out"):
            return self._signing(ask, secure=own.startswith("https:"))
        if person is _NOBODY:
            if request.method == "POST":
                raise Rejected(401, "Sign in first", "Your session has ended, and nothing was done.")
            return _redirect(address("sign-in", to=path or None))
        person.check(Right.LOOK)
        for route in ROUTES:
            place = route.match(request.method, path)
            if place is not None:
                person.check(route.right)
                return self._made(await route.act(self._parts, replace(ask, place=place)), ask)
        raise Rejected(404, "There is no such page", "The address may be of another version of the console.")

    async def _person(self, headers: Mapping[str, str]) -> Person | None:
        staff = self._parts.staff
        if found := await staff.signed_in(headers):
            return found
        caller = self._parts.sessions.caller_of(session_of(headers.get("cookie", "")))
        return staff.of_key(caller) if caller else None

    def _signing(self, ask: Ask, *, secure: bool) -> func.HttpResponse:
        """The form for a key, what becomes of it, a ticket of the sandbox, and the end of a session."""
        sessions, to = self._parts.sessions, ask.params.get("to", "")
        if ask.path == "sign-out" and ask.method == "POST":
            return _redirect(address("sign-in"), cookie("", secure=secure))
        if ask.method == "POST":
            key = ask.form.get("key", "")
            caller = self._parts.staff.caller_of(key)
            if caller:
                return _redirect(_inside(ask.form.get("to", "")), cookie(sessions.begin(caller, key), secure=secure))
            shows = {"refused": True, "to": ask.form.get("to", "")}
            return self._page(Page("sign_in.html", shows, 401), ask)
        if session := sessions.renewed(ask.params.get("ticket", "")):
            return _redirect(_inside(to), cookie(session, secure=secure))
        return self._page(Page("sign_in.html", {"refused": False, "to": to}), ask)

    def _made(self, answer: Answer, ask: Ask) -> func.HttpResponse:
        match answer:
            case Page():
                return self._page(answer, ask)
            case Redirect(to):
                return _redirect(to)
            case Download(name, media_type, content):
                headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
                return func.HttpResponse(content, mimetype=media_type, headers=headers)

    def _page(self, page: Page, ask: Ask) -> func.HttpResponse:
        common: dict[str, Any] = {
            "person": ask.person,
            "may": {right.value: ask.person.may(right) for right in Right},
            "needed": {right.value: words for right, words in NEEDED.items()},
            "payloads": ask.person.may(Right.PAYLOADS),
            "now": self._parts.clock.now(),
            "environment": self._parts.links.environment,
            "version": __version__,
            "section": ask.path.partition("/")[0],
            "query": ask.params.get("q", ""),
            "said": ask.params.get("said", ""),
            "platform": self._parts.staff.signed_in_by_platform,
            "alert": None,
        }
        body = html.render(page.template, {**common, **page.shows})
        return func.HttpResponse(body, status_code=page.status, mimetype="text/html", headers=_HEADERS)


def _asset(name: str) -> func.HttpResponse:
    if name not in html.TYPES:
        return func.HttpResponse("There is no such file.", status_code=404, mimetype="text/plain", headers=_HEADERS)
    kept = {**_HEADERS, "Cache-Control": f"private, max-age={_YEAR}, immutable"}
    return func.HttpResponse(html.asset(name), mimetype=html.TYPES[name], headers=kept)


def _redirect(to: str, session: str | None = None) -> func.HttpResponse:
    headers = {**_HEADERS, "Location": to}
    if session is not None:
        headers["Set-Cookie"] = session
    return func.HttpResponse(status_code=303, headers=headers)


def _inside(to: str) -> str:
    """The address of a page of the console, whatever was asked for: nobody is led elsewhere."""
    return f"{ROOT}/{to}" if to and all(it.isalnum() or it in "-/" for it in to) and "//" not in to else ROOT
