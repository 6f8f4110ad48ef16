"""The console over a desk in memory: asked directly, or served to a browser."""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import azure.functions as func
from pydantic import SecretStr

from integration.admission import CallerKeys
from integration.analytics.row import Row
from integration.analytics.set_aside import SetAside
from integration.analytics.sink import REFUSED, TOO_LARGE, UNREADABLE, Receipt, Refused
from integration.console.parts import Links, Parts
from integration.console.sessions import COOKIE, Sessions
from integration.console.site import Site
from integration.errors import Transient
from integration.ledger import keys
from integration.ledger.audit_log import AuditLog
from integration.ledger.problems import Problems
from integration.ledger.queries import Queries
from integration.ledger.shared_state import TableState
from integration.operations import Health
from integration.operations.audit_query import AuditQuery
from integration.operations.budgets import Budgets
from integration.operations.cause_notes import CauseNotes
from integration.operations.causes import CauseQuery
from integration.operations.comparison import Comparison
from integration.operations.dead_letters import DeadLetterReader
from integration.operations.debug_detail import DetailControl
from integration.operations.drift import DriftReports
from integration.operations.exchanges import ExchangeQuery
from integration.operations.figures import Figures
from integration.operations.lookup import Lookup
from integration.operations.reconciliations import Reconciliations
from integration.operations.resync import Resync
from integration.operations.rights import Staff
from integration.operations.routes import Desk as Services
from integration.operations.set_aside import SetAsideRows
from integration.operations.systems import SystemControl
from integration.operations.tables import TableControl
from integration.protection import Spending, Switch
from integration.public_address import PublicAddress
from integration.settings.types import Role
from integration.systems import CustomerMatch
from tests.memory_container import MemoryContainer
from tests.unit.integration.operations.parts import Desk

KEYS = {name: f"{name}-operations-key-0123456789" for name in ("anna", "oliver", "rita", "nobody")}
ROLES = {
    "anna": [Role.ADMINISTRATOR, Role.PAYLOADS],
    "oliver": [Role.OPERATOR],
    "rita": [Role.READER],
    "nobody": [Role.PAYLOADS],
}
"""An administrator who may see payloads, an operator and a reader who may not, and somebody without a role."""
MATCHED = "44444444-4444-4444-8444-444444444444"
"""The row that the ERP has a customer for."""
ORIGIN = "https://app.contoso.example"


def principal(*roles: str, name: str = "mara") -> str:
    """The header of App Service Authentication for somebody with these app roles."""
    claims = [{"typ": "name", "val": name}, *({"typ": "roles", "val": role} for role in roles)]
    document = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims}
    return base64.b64encode(json.dumps(document).encode()).decode()


class OneMatch:
    """One account, which the ERP has as C-1."""

    async def page(self, table: str, following: str) -> tuple[list[tuple[str, CustomerMatch]], str]:
        assert (table, following) == ("account", "page-2")
        return [(MATCHED, CustomerMatch(outcome="matched", by="taxNumber", numbers=("C-1",)))], "page-3"


@dataclass
class LakeSink:
    """Takes rows, unless it `refuses` their number or rows `wait`; notes the batches that it was given."""

    refuses: Collection[int] = ()
    waits: Transient | None = None
    given: list[list[int]] = field(default_factory=list)
    name: str = "lake"

    async def write(self, rows: Sequence[Row]) -> Receipt:
        self.given.append([row.sequence_number for row in rows])
        refused = tuple(Refused(row, REFUSED, "Still not.") for row in rows if row.sequence_number in self.refuses)
        waiting = tuple(row for row in rows if row.sequence_number not in self.refuses) if self.waits else ()
        return Receipt(refused, waiting=waiting, error=self.waits)


def aside(number: int, reason: str, detail: str = "", body: bytes | None = None) -> Refused:
    """A row of partition 2 that a sink has refused."""
    event = {"id": f"e-{number}", "data": {"state": "completed", "table": "account"}}
    enqueued = datetime(2026, 11, 20, 19, 5, tzinfo=UTC)
    return Refused(
        Row.read("2", number, enqueued, json.dumps(event).encode() if body is None else body), reason, detail
    )


LIKES = 'The table has no column "mia.wong@fourthcoffee.example".'


async def fill_aside(kept: SetAside) -> None:
    """Five rows of the lake, and one of a sink that is switched off."""
    refused = [aside(number, REFUSED, LIKES) for number in (7, 8, 10)]
    unreadable = aside(9, UNREADABLE, "It is no settled event.", b"<order>of Mia Wong</order>\xff")
    await kept.put("lake", [*refused, unreadable, aside(11, TOO_LARGE)])
    await kept.put("fabric", [aside(7, TOO_LARGE)])


@dataclass
class Console:
    """The site, and the world behind it. `declared` are the names that its flow goes by."""

    declared: frozenset[str] = frozenset()
    signed_in_by_platform: bool = False
    compare: Callable[[], Awaitable[object]] | None = None
    desk: Desk = field(init=False)
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        self.desk = it = Desk(declared=self.declared)
        ledger, clock, queries = it.world.ledger, it.world.clock, Queries(it.world.ledger)
        causes, log = CauseQuery(ledger, clock), AuditLog(ledger, clock)
        callers = {name: [SecretStr(key)] for name, key in KEYS.items()}
        self.figures = Figures(ledger, causes, clock)
        shared = TableState(ledger.table(keys.SYSTEMS))
        self.switches = {name: Switch(name, shared, clock, full=8) for name in ("dataverse", "erp", "credit")}
        self.spending = Spending(shared, clock)
        self.container, self.sink = MemoryContainer(), LakeSink()
        self.aside = SetAside(self.container)
        reader = DeadLetterReader(it.letters, ledger, it.claim_check, clock)
        self.services = Services(
            repair=it.repair,
            edit=it.edit,
            postpone=it.postpone,
            resync=Resync(it.queueing, it.audit, clock, organisation="org"),
            systems=SystemControl(self.switches, it.audit),
            budgets=Budgets({"dataverse": 6_000}, self.spending),
            tables=TableControl(it.world.pauses, ["account", "opportunity"], it.audit),
            detail=DetailControl(it.world.detail, it.audit, clock),
            search=it.search,
            causes=causes,
            notes=CauseNotes(ledger, it.audit, clock),
            figures=self.figures,
            comparison=Comparison(it.letters, ledger, Problems(ledger), reader, it.audit),
            lookup=Lookup(ledger, queries, log, lambda _table, _message: ("credit-score", "erp-order"), it.carried),
            exchanges=ExchangeQuery(ledger),
            audit=AuditQuery(log, clock),
            planner=it.planner,
            bulks=it.bulks,
            matches=OneMatch(),
            drift=DriftReports(shared),
            reconciliations=Reconciliations(shared, clock),
            set_aside=SetAsideRows(lambda: self.aside, {"lake": lambda: self.sink}, it.audit),
        )
        self.staff = Staff(CallerKeys(callers, in_query=False), ROLES, signed_in_by_platform=self.signed_in_by_platform)
        self.sessions = Sessions(callers, clock)
        self.site = Site(
            Parts(
                self.services,
                self.staff,
                self.sessions,
                Health(dict.fromkeys(("workQueue", "eventHub", "ledger"), _well), clock),
                PublicAddress(None),
                clock,
                Links("https://contoso.crm4.dynamics.com", "https://traces.example/{event_id}?c={correlation_id}"),
                self.compare,
            )
        )

    async def ask(
        self,
        path: str = "",
        form: Mapping[str, str] | None = None,
        *,
        who: str = "anna",
        headers: Mapping[str, str] | None = None,
        origin: str = ORIGIN,
    ) -> func.HttpResponse:
        """The answer to a GET, or to a POST with a `form` as a browser of today sends it from a page of the console."""
        parts = urlsplit(path)
        given = {"Cookie": f"{COOKIE}={self.sessions.begin(who, KEYS[who])}"} if who else {}
        if form is not None:
            given |= {"Sec-Fetch-Site": "same-origin", "Origin": origin}
        return await self.site.answer(
            func.HttpRequest(
                "GET" if form is None else "POST",
                f"{origin}/api/console/{path}",
                headers={**given, **(headers or {})},
                params=dict(parse_qsl(parts.query)),
                route_params={"path": parts.path} if parts.path else {},
                body=urlencode(form or {}).encode(),
            )
        )


async def _well() -> None:
    """A check that finds nothing wrong."""


def text_of(answer: func.HttpResponse) -> str:
    """The page."""
    return bytes(answer.get_body()).decode()


@dataclass
class Served:
    """A console that a browser can reach at `url`; what it does runs in the loop of its own thread."""

    console: Console
    url: str
    loop: asyncio.AbstractEventLoop

    def run(self, work: Any) -> Any:
        """Let a coroutine run where the console runs; its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)

    def session(self, who: str) -> dict[str, Any]:
        """The cookie of somebody who has signed in."""
        value = self.console.sessions.begin(who, KEYS[who])
        return {"name": COOKIE, "value": value, "url": f"{self.url}/api/console", "sameSite": "Strict"}


@contextmanager
def served(console: Console) -> Iterator[Served]:
    """Serve the console on a free port of this machine, until the end of the block."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="console-loop", daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(console, loop))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="console-server", daemon=True).start()
    try:
        yield Served(console, f"http://127.0.0.1:{server.server_port}", loop)
    finally:
        server.shutdown()
        server.server_close()
        loop.call_soon_threadsafe(loop.stop)


def _handler(console: Console, loop: asyncio.AbstractEventLoop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Gives each request to the site, as the Functions host does."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """A page."""
            self._answer(b"")

        def do_POST(self) -> None:
            """A form."""
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _answer(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            request = func.HttpRequest(
                self.command,
                f"http://{self.headers['Host']}{self.path}",
                headers=dict(self.headers.items()),
                params=dict(parse_qsl(parts.query)),
                route_params={"path": parts.path.removeprefix("/api/console").strip("/")},
                body=body,
            )
            answer = asyncio.run_coroutine_threadsafe(console.site.answer(request), loop).result(timeout=30)
            content = bytes(answer.get_body() or b"")
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", f"{answer.mimetype}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # the browser has gone on to another page
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- its name there
            """Say nothing."""

    return Handler
