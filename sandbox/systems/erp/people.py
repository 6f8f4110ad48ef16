"""What people do in the ERP, and how it says so.

POST /control/orders/{id}/{status}       status: shipped, invoiced or cancelled, on-hold or confirmed
POST /control/customers                  {"name": "Contoso", "taxNumber": "..."}: one that Dataverse does not know yet
POST /control/customers/{id}             {"onHold": true, "balance": "1200.50"}
POST /control/setup                      {"closed_until": "2026-10-31"}: up to which day periods are closed; "": none
POST /control/events                     {"ofWrites": true, "held": true, "copies": 2}: how events are sent from now on
POST /control/events/release             send what was held; {"newestFirst": true}: in the other order
"""

from typing import Any

from aiohttp import web

from sandbox.systems.erp.books import Books
from sandbox.systems.erp.events import Events
from sandbox.systems.http_server import problem
from sandbox.systems.rest import Refused, now

_STATUSES = "shipped|invoiced|cancelled|on-hold|confirmed"
CHANGED = {"customers": "customer-changed", "orders": "order-changed"}
"""The name of the event of a change."""


class People:
    """The control routes above."""

    def __init__(self, books: Books, events: Events) -> None:
        self._books = books
        self._events = events

    def add_routes(self, app: web.Application) -> None:
        """Add them to the ERP's application."""
        app.router.add_post(f"/control/orders/{{id}}/{{status:{_STATUSES}}}", self._change_order)
        app.router.add_post("/control/customers", self._add_customer)
        app.router.add_post("/control/customers/{id}", self._change_customer)
        app.router.add_post("/control/setup", self._set_up)
        app.router.add_post("/control/events", self._set_events)
        app.router.add_post("/control/events/release", self._release)

    async def _change_order(self, request: web.Request) -> web.Response:
        status = request.match_info["status"]
        changes = {"status": status} | ({"shippedAt": now()} if status == "shipped" else {})
        name = "order-shipped" if status == "shipped" else CHANGED["orders"]
        return self._change("orders", request.match_info["id"].lower(), changes, name)

    async def _add_customer(self, request: web.Request) -> web.Response:
        return web.json_response({"customerNumber": self._books.earlier.add(await request.json())})

    async def _change_customer(self, request: web.Request) -> web.Response:
        row_id = request.match_info["id"].lower()
        return self._change("customers", row_id, await request.json(), CHANGED["customers"])

    def _change(self, kind: str, row_id: str, changes: dict[str, Any], name: str) -> web.Response:
        try:
            changed = self._books.note(kind, row_id, changes)
        except Refused as refused:
            return problem(refused.status, refused.slug, refused.detail)
        self._events.report(name, row_id)
        return web.json_response({"record": row_id, **changed})

    async def _set_up(self, request: web.Request) -> web.Response:
        self._books.closed_until = str((await request.json())["closed_until"])
        return web.Response(status=204)

    async def _set_events(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self._events.set(
            of_writes=wanted.get("ofWrites", False), held=wanted.get("held", False), copies=wanted.get("copies", 1)
        )
        return web.Response(status=204)

    async def _release(self, request: web.Request) -> web.Response:
        wanted = await request.json() if request.can_read_body else {}
        return web.json_response({"sent": self._events.release(newest_first=wanted.get("newestFirst", False))})
