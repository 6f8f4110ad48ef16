"""Watching Business Central over HTTP: subscriptions, their handshake and notifications, and the sweep behind them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from aiohttp import web

from integration import flows
from integration.admission import CallerKeys, Senders
from integration.errors import Transient, Unavailable
from integration.flow.discovery import event_names, inbound_in
from integration.intake import IntakeRequest, TakingIn
from integration.intake.business_central_intake import BusinessCentralIntake
from integration.intake.watched_company import WatchedCompany
from integration.protection import MemoryState
from integration.settings import Settings
from integration.systems import CustomerReport, OrderReport
from integration.systems.business_central import BusinessCentral
from integration.watching import Subscriptions, Sweep
from integration.watching.functions import watch
from integration.watching.sweep import OVERLAP
from tests.claim_kit import claim_check
from tests.contract.integration.systems.story import Story, customer_of, order_for
from tests.contract.integration.systems.subjects import COMPANY
from tests.contract.integration.systems.subjects import BusinessCentral as Subject
from tests.unit.integration.intake.support import Sent, Written
from tests.unit.integration.settings.test_reading import environment

STATE = "the-client-state-of-our-subscriptions"
PATIENCE = 10.0


@dataclass
class App:
    """The app's part: its endpoint on a port of its own, and what it has queued. `fails` answers in its place."""

    subject: Subject
    adapter: BusinessCentral
    intake: BusinessCentralIntake
    queue: Sent
    sweep: Sweep
    address: str = ""
    fails: list[int] = field(default_factory=list)
    requests: int = 0

    @property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(self.adapter.webhooks, self.subject.clock, address=self.address, client_state=STATE)

    @property
    def records(self) -> list[str]:
        return [f"{it.table} {it.record_id}" for it in self.queue.events]

    async def handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.fails:
            return web.Response(status=self.fails.pop(0))
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = IntakeRequest(headers, dict(request.query), await request.read())
        token = self.intake.handshake(asked)
        if token is not None:
            return web.Response(text=token)
        await self.intake.notifications(asked)
        return web.Response(status=202)


@pytest.fixture
async def app(business_central: Subject) -> AsyncIterator[App]:
    keys = json.dumps({"business-central": [STATE]})
    settings = Settings.from_environment(environment(INTAKE_KEYS=keys))
    queue, clock = Sent(), business_central.clock
    taking_in = TakingIn(settings, Senders(CallerKeys(settings.intake_keys)), queue, Written(), claim_check(), clock)
    names = event_names(inbound_in(flows).values())
    watched = WatchedCompany("erp", COMPANY, names, organisation="o", clock=clock)
    adapter, _ = business_central.adapters()
    assert isinstance(adapter, BusinessCentral)
    sweep = Sweep(adapter.webhooks, taking_in, watched, MemoryState(), clock)
    made = App(business_central, adapter, BusinessCentralIntake(taking_in, watched), queue, sweep)
    server = web.Application()
    server.router.add_post("/api/erp/business-central", made.handle)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}/api/erp/business-central"
    business_central.system.control("POST", "subscriptions", json={"delay": 0.05})
    yield made
    await control(made, "subscriptions/expire")
    await runner.cleanup()


async def control(app: App, path: str, **body: object) -> None:
    """The controls answer beside the server of this test, which the stand-in may be calling."""
    await asyncio.to_thread(app.subject.system.control, "POST", path, json=body)


async def eventually(holds: Callable[[], bool] | Callable[[], Awaitable[bool]], what: str) -> None:
    end = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < end:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


async def ordered(app: App) -> tuple[str, str]:
    """A customer and an order that the app has made; their ids there."""
    story = Story()
    await app.adapter.put_customer(story.customer_id, customer_of(), key="a")
    await app.adapter.put_order(story.order_id, order_for(story.customer_id), key="b")
    done = app.subject.effects()
    customer = next(it["id"] for it in reversed(done) if it["kind"] == "customer-created")
    order = next(it["id"] for it in reversed(done) if it["kind"] == "order-created")
    return str(customer), str(order)


async def live(app: App) -> dict[str, str]:
    """Our subscriptions: the kind of rows, and the ETag."""
    found = await app.adapter.webhooks.subscriptions()
    return {it.resource.rpartition("/")[2]: it.etag for it in found if it.url == app.address}


async def test_subscriptions_are_made_once_and_renewed_before_they_end(app: App) -> None:
    """The first time with a handshake each; a day later again, by a PATCH; what has ended is made anew."""
    await app.subscriptions.keep()
    made = await live(app)
    assert made.keys() == {"customers", "salesOrders"}
    await app.subscriptions.keep()
    assert (await live(app), app.requests) == (made, 2)

    app.subject.clock.move(timedelta(days=1, minutes=1).total_seconds())
    await app.subscriptions.keep()
    renewed = await live(app)
    assert (renewed.keys(), app.requests) == (made.keys(), 4)
    assert not set(renewed.values()) & set(made.values())

    await control(app, "subscriptions/expire")
    assert await live(app) == {}
    await app.subscriptions.keep()
    assert (await live(app)).keys() == made.keys()


async def test_what_happens_there_comes_as_events_each_once_for_a_repeated_notification(app: App) -> None:
    await app.subscriptions.keep()
    await control(app, "subscriptions", delay=0.05, copies=2)
    customer, order = await ordered(app)
    await eventually(lambda: {f"erp.customer {customer}", f"erp.order {order}"} <= set(app.records), "both events")
    await eventually(lambda: len(app.records) > len({it.event_id for it in app.queue.events}), "the copies")


async def test_an_answer_that_says_later_is_tried_again_and_a_refusal_ends_the_subscription(app: App) -> None:
    """Why the endpoint answers 503 while the queue is away, and the timer makes again what is missing."""
    await app.subscriptions.keep()
    app.fails = [503]
    customer, _ = await ordered(app)
    await eventually(lambda: f"erp.customer {customer}" in app.records, "the notification that comes again")

    app.fails = [404] * 10
    await ordered(app)

    async def ended() -> bool:
        return not await live(app)

    await eventually(ended, "the end of the subscriptions")
    app.fails = []
    await app.subscriptions.keep()
    assert len(await live(app)) == 2


async def test_an_address_that_does_not_shake_hands_gets_no_subscription(app: App) -> None:
    app.fails = [404]
    with pytest.raises(Exception, match="DialogException"):
        await app.subscriptions.keep()
    assert await live(app) == {}


async def test_the_sweep_finds_what_no_notification_has_said(app: App) -> None:
    """Nothing of before the first run; then what has changed since the last one, posted orders by their invoices."""
    await ordered(app)
    assert await app.sweep.run() == 0
    customer, order = await ordered(app)
    number = next(it["number"] for it in app.subject.effects() if it["id"] == order)
    await app.sweep.run()
    assert {f"erp.customer {customer}", f"erp.order {order}"} <= set(app.records)
    app.queue.envelopes.clear()
    await control(app, f"orders/{number}/post")
    await app.sweep.run()
    assert f"erp.order {order}" in app.records
    app.subject.clock.move((OVERLAP * 2).total_seconds())
    await app.sweep.run()
    assert await app.sweep.run() == 0


async def test_a_sweep_that_could_not_queue_is_done_again(app: App) -> None:
    """How far it has come moves on only once all is queued."""
    await app.sweep.run()
    customer, _ = await ordered(app)
    app.queue.fails = Transient("away", reason="broker-unavailable")
    with pytest.raises(Unavailable):
        await app.sweep.run()
    app.queue.fails = None
    await app.sweep.run()
    assert f"erp.customer {customer}" in app.records


async def test_what_a_notification_and_the_sweep_both_see_is_one_event(app: App) -> None:
    await app.sweep.run()
    await app.subscriptions.keep()
    customer, _ = await ordered(app)
    await eventually(lambda: f"erp.customer {customer}" in app.records, "the notification")
    noticed = {it.event_id for it in app.queue.events if it.record_id == customer}
    app.queue.envelopes.clear()
    await app.sweep.run()
    assert {it.event_id for it in app.queue.events if it.record_id == customer} <= noticed


async def test_many_changes_are_one_notification_that_the_sweep_makes_up_for(app: App) -> None:
    await app.sweep.run()
    await app.subscriptions.keep()
    await control(app, "subscriptions", delay=0.3, collapse=0)
    customer, order = await ordered(app)
    await eventually(lambda: app.requests >= 4, "two handshakes and two notifications")
    assert app.records == []
    await app.sweep.run()
    assert {f"erp.customer {customer}", f"erp.order {order}"} <= set(app.records)


async def test_work_that_fails_does_not_keep_the_next_from_its_turn(app: App) -> None:
    """The sweep runs also where subscriptions cannot be kept."""
    app.fails = [404] * 10
    done: list[int] = []

    async def sweep() -> None:
        done.append(await app.sweep.run())

    await watch([app.subscriptions.keep, sweep])
    assert done == [0]


async def test_how_customers_and_orders_stand(app: App) -> None:
    """Under Business Central's own ids, also after an order was posted and has disappeared."""
    customer, order = await ordered(app)
    system, effects = app.subject.system, app.subject.effects()
    number = next(str(it["number"]) for it in effects if it["id"] == order)
    assert await app.adapter.order_report(order) == OrderReport(number=number, status="confirmed")
    report = await app.adapter.customer_report(customer)
    assert report == CustomerReport(number=report.number, on_hold=False, balance=Decimal(0))
    system.http.patch(f"{system.url}/control/customers/{customer}", json={"blocked": "Ship"}, timeout=5)
    held = await app.adapter.customer_report(customer)
    assert held == CustomerReport(number=report.number, on_hold=True, balance=report.balance)
    await control(app, f"orders/{number}/post")
    posted = await app.adapter.order_report(order)
    assert (posted.number, posted.status, posted.shipped_at is not None) == (number, "invoiced", True)
