"""The stand-in put together: store, schema, service, jobs, Web API, tokens and control routes.

Control routes besides those of `sandbox.systems.http_server`:

    GET    /control/environment         tenant, clients with their secrets and users, organisation id, CA file
    GET    /control/events              what was published and every answer, oldest first; ?after=<seq>&limit=<n>
    DELETE /control/events              forget those that are finished
    POST   /control/quiet               answers when no system job is pending
    POST   /control/tokens              {"lifetime_seconds": n}: for tokens given from now on
    DELETE /control/tokens              every token given so far is expired
    POST   /control/signing-keys        tokens for the app are signed with a new key from now on
    POST   /control/limits              enforce service-protection limits (fields: see `limits.Limits`)
    DELETE /control/limits              only count
    POST   /control/expire-delta-links  delta links given so far answer ExpiredVersionStamp
    POST   /control/export              write what has changed as Synapse Link does (fields: see `exporting.Wanted`)
"""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox.systems.dataverse.access import Access
from sandbox.systems.dataverse.access_tokens import AccessTokens
from sandbox.systems.dataverse.collection import OLDEST_DELTA
from sandbox.systems.dataverse.context import Contexts
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.errors import ODataError, throttled
from sandbox.systems.dataverse.exporting import Exporting
from sandbox.systems.dataverse.jobs import Jobs
from sandbox.systems.dataverse.metadata import Metadata
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.registration import Registrations
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.seed import Seed
from sandbox.systems.dataverse.service_bus import ServiceBus
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.tokens import Tokens
from sandbox.systems.dataverse.unit_of_work import UnitOfWork
from sandbox.systems.dataverse.virtual_provider import Provider
from sandbox.systems.dataverse.webapi import WebApi
from sandbox.systems.dataverse.webhook import Webhooks
from sandbox.systems.http_server import Fault, stand_in

EVENTS_AT_MOST = 1_000


@dataclass(frozen=True)
class Options:
    """How the stand-in is started; times in seconds."""

    port: int
    state: Path
    schema: Path
    ca_file: Path
    webhook_timeout: float
    webhook_retry_delay: float
    unprepared: bool


def build_app(options: Options) -> web.Application:
    """The application; jobs start and stop with it."""
    environment, host = Environment(), f"localhost:{options.port}"
    store = Store(options.state / "dataverse.db")
    schema = Schema.load(options.schema, without_custom=options.unprepared)
    metadata = Metadata(store, schema)
    access = Access(store, environment)
    tls = ssl.create_default_context()
    tls.load_verify_locations(options.ca_file)
    webhooks = Webhooks(timeout=options.webhook_timeout, retry_delay=options.webhook_retry_delay, tls=tls)
    contexts = Contexts(environment, Representation(store, schema).name_of)
    access_tokens = AccessTokens(environment)
    buses = ServiceBus(retry_delay=options.webhook_retry_delay, tokens=access_tokens)
    jobs = Jobs(store, contexts, webhooks, buses, host)
    registrations = Registrations(store)
    service = OrganizationService(store, schema, environment, registrations=registrations, jobs=jobs, access=access)
    Seed(store, schema, environment, service.roles, application=not options.unprepared).plant()
    work = UnitOfWork(store, registrations, jobs)
    tokens = Tokens(store, environment, access_tokens)
    provider = Provider(tls)
    api = WebApi(
        store,
        schema,
        environment,
        service=service,
        tokens=tokens,
        metadata=metadata,
        work=work,
        contexts=contexts,
        provider=provider,
    )

    app = stand_in(error_body=_error_body)
    tokens.routes(app)
    api.routes(app)
    _Control(store, jobs, environment.describe(url=f"https://{host}", ca_file=options.ca_file)).routes(app)
    app.router.add_post("/control/limits", api.protection.set_limits)
    app.router.add_delete("/control/limits", api.protection.clear_limits)
    app.router.add_post("/control/export", Exporting(store, schema).export)

    async def lifespan(_: web.Application) -> AsyncIterator[None]:
        await jobs.start()
        yield
        await jobs.stop()
        await provider.close()

    app.cleanup_ctx.append(lifespan)
    return app


class _Control:
    """Control routes of this stand-in, besides faults and the request log."""

    def __init__(self, store: Store, jobs: Jobs, description: dict[str, object]) -> None:
        self._store, self._jobs, self._description = store, jobs, description

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/control/environment", self._environment)
        app.router.add_get("/control/events", self._events)
        app.router.add_delete("/control/events", self._forget_events)
        app.router.add_post("/control/quiet", self._quiet)
        app.router.add_post("/control/expire-delta-links", self._expire_delta_links)

    async def _environment(self, _: web.Request) -> web.Response:
        return web.json_response(self._description)

    async def _events(self, request: web.Request) -> web.Response:
        after, limit = int(request.query.get("after", "0")), int(request.query.get("limit", EVENTS_AT_MOST))
        return web.json_response(self._jobs.events(after=after, limit=limit))

    async def _forget_events(self, _: web.Request) -> web.Response:
        self._jobs.forget_events()
        return web.Response(status=204)

    async def _quiet(self, _: web.Request) -> web.Response:
        await self._jobs.quiet()
        return web.Response(status=204)

    async def _expire_delta_links(self, _: web.Request) -> web.Response:
        self._store.set_setting(OLDEST_DELTA, str(self._store.next_version()))
        return web.Response(status=204)


def _error_body(fault: Fault) -> web.Response:
    if fault.status == 429:
        return throttled("requests", 5).response()
    words = {503: "The service is unavailable.", 502: "Bad gateway.", 504: "The gateway timed out."}
    said = words.get(fault.status or 0, "An unexpected error occurred.")
    return ODataError(fault.status or 500, "0x80040216", said).response()
