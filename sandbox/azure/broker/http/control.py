"""The broker over HTTP: health in the emulators' shape, and controls for tests.

GET    /health             {"status": "healthy", "message": "Service is healthy."}
POST   /control/clock      {"advance_seconds": n}: the broker's time moves forward
POST   /control/drop       every AMQP connection is cut
POST   /control/fault      {"refuse": bool, "delay_ms": n, "server_busy": bool}: see `Faults`
DELETE /control/fault      all faults are off
GET    /control/counters   the counters of what has happened since the start
GET    /control/entities   per queue and subscription its messages by state, per hub partition its events
       anything else       the administration API: see `administration`
"""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.azure.broker.entities.browsing import counts
from sandbox.azure.broker.http.administration import Administration
from sandbox.azure.broker.links.endpoints import Faults
from sandbox.azure.broker.server import Server


class Control:
    """The routes for one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """All routes, those of the administration API last: they take every path."""
        return [
            web.get("/health", self.health),
            web.post("/control/clock", self.clock),
            web.post("/control/drop", self.drop),
            web.post("/control/fault", self.set_fault),
            web.delete("/control/fault", self.clear_fault),
            web.get("/control/counters", self.counters),
            web.get("/control/entities", self.entities),
            *Administration(self._server).routes(),
        ]

    async def health(self, _: web.Request) -> web.Response:
        """Whether the broker serves."""
        return web.json_response({"status": "healthy", "message": "Service is healthy."})

    async def clock(self, request: web.Request) -> web.Response:
        """Moves the time forward."""
        seconds = (await _json_object(request)).get("advance_seconds")
        if not isinstance(seconds, int | float) or seconds < 0:
            raise web.HTTPBadRequest(text="advance_seconds is a number, 0 or more")
        self._server.advance_clock(int(seconds * 1000))
        return web.json_response({"now": self._server.namespace.engine.clock.now()})

    async def drop(self, _: web.Request) -> web.Response:
        """Cuts every connection."""
        return web.json_response({"dropped": self._server.drop_connections()})

    async def set_fault(self, request: web.Request) -> web.Response:
        """Sets the faults; those that are not named are off."""
        try:
            self._server.faults = Faults(**await _json_object(request))
        except TypeError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        if self._server.faults.refuse:
            self._server.drop_connections()
        return web.json_response(asdict(self._server.faults))

    async def clear_fault(self, _: web.Request) -> web.Response:
        """Turns all faults off."""
        self._server.faults = Faults()
        return web.json_response(asdict(self._server.faults))

    async def counters(self, _: web.Request) -> web.Response:
        """The counters of what has happened since the start."""
        return web.json_response(dict(self._server.namespace.engine.counters) | {"open": len(self._server.connections)})

    async def entities(self, _: web.Request) -> web.Response:
        """How many messages and events each entity has."""
        namespace = self._server.namespace
        return web.json_response(
            {
                "queues": {queue.name: counts(queue) for queue in namespace.queues.values()},
                "topics": {topic.name: {"scheduled": len(topic.messages)} for topic in namespace.topics.values()},
                "hubs": {
                    hub.name: {str(item.index): {"events": len(item.events)} for item in hub.partitions}
                    for hub in namespace.hubs.values()
                },
            }
        )


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        value = await request.json()
    except json.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="a JSON object is needed")
    return value
