"""The app with all its functions, from its services."""

from typing import TYPE_CHECKING

import azure.functions as func

from integration import flows
from integration.claim_check import functions as claim_check_functions
from integration.clock import SystemClock
from integration.composition.services import Services, build_services
from integration.composition.sinks import sink_blueprints
from integration.composition.worker import retry_policy
from integration.console import functions as console_functions
from integration.flow.discovery import all_in
from integration.intake import event_grid_functions, service_endpoint_functions
from integration.intake import functions as intake_functions
from integration.ledger import functions as ledger_functions
from integration.operations import functions as operations_functions
from integration.operations import outcome_functions
from integration.operations import timers as operations_timers
from integration.operations.routes import blueprints as operations_routes
from integration.operations.routes.admitted import Operators
from integration.pull import functions as pull_functions
from integration.pull import routes as pull_routes
from integration.registration import functions as registration_functions
from integration.settings import Settings
from integration.synchronous import functions as synchronous_functions
from integration.telemetry import quieten_libraries
from integration.virtual_tables import functions as virtual_table_functions
from integration.watching import functions as watching_functions
from integration.worker import functions as worker_functions

if TYPE_CHECKING:
    from integration.console.site import Site
    from integration.virtual_tables.site import Site as VirtualTables


def build_app(settings: Settings) -> func.FunctionApp:
    """The app with its functions: all of them, unless APP_FUNCTIONS says otherwise. Building it opens no connection."""
    quieten_libraries()
    app = func.FunctionApp()
    if settings.functions != "others":
        for sink in sink_blueprints(settings, retry_policy(settings), SystemClock()):
            app.register_functions(sink)
    if settings.functions != "sinks":
        _register_others(app, settings)
    return app


def _register_others(app: func.FunctionApp, settings: Settings) -> None:
    """All functions but the sinks of settled events."""
    services = build_services(settings)
    app.register_functions(
        intake_functions.blueprint(
            services.intake,
            services.erp_intake,
            services.business_central_intake,
            services.address,
        )
    )
    app.register_functions(event_grid_functions.blueprint(services.event_grid_intake))
    app.register_functions(
        service_endpoint_functions.blueprint(services.service_endpoints, services.business_events_queue, settings)
    )
    app.register_functions(synchronous_functions.blueprint(services.answering))
    app.register_functions(watching_functions.blueprint(services.subscriptions, services.sweep))
    app.register_functions(pull_functions.blueprint(services.changes))
    app.register_functions(worker_functions.blueprint(services.worker, queue=settings.work_queue))
    app.register_functions(
        operations_functions.blueprint(services.staff, services.status, services.health, services.address)
    )
    app.register_functions(outcome_functions.blueprint(services.outcomes, services.senders, services.address))
    app.register_functions(ledger_functions.blueprint(services.retention, services.daily_copy))
    app.register_functions(claim_check_functions.blueprint(services.claim_sweep))
    for blueprint in operations_routes(services.staff, services.operations.desk, services.address):
        app.register_functions(blueprint)
    operators = Operators(services.staff, services.address)
    operations = services.operations
    kept = operations.desk.reconciliations
    app.register_functions(
        pull_routes.blueprint(operators, services.reconciliation, services.loading, kept, SystemClock())
    )
    app.register_functions(registration_functions.blueprint(operators, operations.desk.drift, services.drift))
    app.register_functions(
        operations_timers.blueprint(
            operations.dead_letters,
            operations.bulks,
            operations.figures,
            operations.measures,
            operations.operator_events,
        )
    )
    app.register_functions(console_functions.blueprint(lambda: open_site(services, settings)))
    app.register_functions(virtual_table_functions.blueprint(lambda: open_virtual_tables(services, settings)))
    if settings.webhooks_queue:
        _register_webhooks(app, services, settings, settings.webhooks_queue)


def start_telemetry(settings: Settings) -> None:
    """Begin to record and export, in a thread of its own, where the settings say so."""
    if (settings.traces_exporter, settings.metrics_exporter) != ("none", "none"):
        from integration.telemetry import export  # noqa: PLC0415 -- not at all where nothing is exported

        export.start(settings)


def _register_webhooks(app: func.FunctionApp, services: Services, settings: Settings, queue: str) -> None:
    from integration.composition.webhooks import webhook_blueprints  # noqa: PLC0415 -- few apps send webhooks

    blueprints = webhook_blueprints(
        settings,
        queue,
        taking_in=services.taking_in,
        ledger=services.ledger,
        address=services.address,
        tables_of={name: frozenset({flow.table}) for name, flow in all_in(flows).items()},
        policy=retry_policy(settings),
        clock=SystemClock(),
    )
    for blueprint in blueprints:
        app.register_functions(blueprint)


def open_site(services: Services, settings: Settings) -> "Site":
    """The console; it is imported with its first request, so that the app starts no later because of it."""
    from integration.console.parts import Links, Parts  # noqa: PLC0415 -- see above
    from integration.console.sessions import Sessions  # noqa: PLC0415 -- see above
    from integration.console.site import Site  # noqa: PLC0415 -- see above

    async def compare() -> object:
        return await services.drift().run() if services.drift else None

    clock = SystemClock()
    return Site(
        Parts(
            services.operations.desk,
            services.staff,
            Sessions(settings.operations_keys, clock),
            services.health,
            services.address,
            clock,
            Links(str(settings.dataverse_url), settings.trace_url),
            compare if services.drift else None,
        )
    )


def open_virtual_tables(services: Services, settings: Settings) -> "VirtualTables":
    """The virtual tables; they are imported with their first request, as the console is."""
    from integration.composition.virtual_tables import build_site  # noqa: PLC0415 -- see above

    return build_site(settings, services.systems, services.ledger, services.address, SystemClock())
