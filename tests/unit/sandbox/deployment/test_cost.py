"""The cost of an environment against a calculation by hand, and the limit that is reached first."""

import re
from dataclasses import fields, replace

import pytest

from sandbox.commands.dispatch import dispatch
from sandbox.deployment import environments, options, prices, usage
from sandbox.deployment.cost import Estimate, ceilings, estimate
from sandbox.deployment.environments import Deployed
from sandbox.deployment.prices import Limits, Meter, PerEvent
from sandbox.deployment.usage import Functions, Group, runs_a_day
from sandbox.repository import REPOSITORY

TEST = Deployed(
    name="test",
    memory_gb=2.0,
    most_instances=6,
    http_at_once=64,
    always_ready={"function:work": 1},
    premium=False,
    throughput_units=1,
    private_endpoints=0,
    nat_gateways=0,
    hybrid_connections=0,
    quick_log_alerts=8,
    slow_log_alerts=3,
    metric_alerts=12,
    availability_tests_a_day=864,
    log_limit_gb=None,
)
FUNCTIONS = Functions(
    queues=("work",),
    hubs=("archive_events",),
    sinks={
        "lake": ("lake_write",),
        "sendToLogAnalytics": ("log_analytics_send",),
        "publishToEventGrid": ("event_grid",),
    },
    timers={"nightly": "0 17 2 * * *", "minutely": "30 * * * * *", "often": "*/20 * * * * *"},
    partitions=4,
    batch_seconds=5.0,
    sessions=128,
)
EVENT = PerEvent(
    table_transactions=6.8,
    intake_seconds=0.05,
    worker_seconds=0.66,
    worker_cpu_seconds=0.004,
    service_bus_operations=4,
    dataverse_requests=2,
    log_kilobytes=10,
    settled_kilobytes=1,
    least_billed_seconds=1.0,
)
LIMITS = Limits(
    dataverse_requests_in_five_minutes=6000,
    dataverse_requests_a_day=500_000,
    service_bus_standard_operations_a_second=1000,
    event_hubs_events_a_second=1000,
)
BY_HAND = {
    # Intake and archive 50,000 s each; timers 1 + 1,440 + 4,320 s; 2 GB; 30 days: 105,761 * 2 * 30.
    "flex-execution-time": 6_345_660,
    # 30 * (50,000 + 50,000 + 5,761).
    "flex-executions": 3_172_830,
    # One instance of 2 GB, 2,592,000 seconds.
    "always-ready-baseline": 5_184_000,
    # The worker: 50,000 seconds a day of 2 GB.
    "always-ready-execution-time": 3_000_000,
    "always-ready-executions": 1_500_000,
    "service-bus-standard": 720,
    # 4 * 1,500,000, and 128 slots that ask every minute: 128 * 1,440 * 30.
    "service-bus-operations": 11_529_600,
    "event-hubs-units": 720,
    "event-hubs-events": 1_500_000,
    "table-transactions": 10_200_000,
    "blob-writes": 3_000_000,
    "logs": 15,
    "log-alerts-5-minutes": 8,
    "log-alerts-15-minutes": 3,
    "metric-alerts": 12,
    # Three places every five minutes: 3 * 288 * 30.
    "availability-tests": 25_920,
}
"""Amounts of a month at 50,000 events a day in an environment like test."""
DOLLARS_BY_HAND = {
    "flex-execution-time": (6_345_660 - 100_000) * 0.000026,  # 162.39
    "flex-executions": (3_172_830 - 250_000) * 0.4 / 1e6,  # 1.17
    "always-ready-baseline": 5_184_000 * 0.000004,  # 20.74
    "always-ready-execution-time": 3_000_000 * 0.000016,  # 48.00
    "always-ready-executions": 1_500_000 * 0.4 / 1e6,  # 0.60
    "service-bus-standard": 720 * 0.0135,  # 9.72
    "service-bus-operations": 0.0,  # 13 million are included
    "event-hubs-units": 720 * 0.03,  # 21.60
    "event-hubs-events": 1.5 * 0.028,  # 0.04
    "table-transactions": 10_200_000 * 0.00036 / 10_000,  # 0.37
    "blob-writes": 3_000_000 * 0.05 / 10_000,  # 15.00
    "logs": (15 - 5) * 2.30,  # 23.00
    "log-alerts-5-minutes": 8 * 1.50,  # 12.00
    "log-alerts-15-minutes": 3 * 0.50,  # 1.50
    "metric-alerts": (12 - 10) * 0.10,  # 0.20
    "availability-tests": 25_920 * 0.0005,  # 12.96
}


def estimated(events: float) -> Estimate:
    return estimate(TEST, events, event=EVENT, functions=FUNCTIONS, meters=prices.meters(), limits=LIMITS)


def test_the_amounts_are_those_of_a_calculation_by_hand() -> None:
    amounts = {it.meter: it.amount for it in usage.month(TEST, 50_000, EVENT, FUNCTIONS) if it.amount}
    assert amounts == pytest.approx(BY_HAND)


def test_the_dollars_are_those_of_a_calculation_by_hand() -> None:
    """With the prices of infra/prices.toml as they are today: whoever renews one calculates anew here."""
    it = estimated(50_000)
    assert {line.use.meter: line.usd for line in it.lines} == pytest.approx(DOLLARS_BY_HAND)
    assert it.month == pytest.approx(329.29, abs=0.01)
    assert it.day == pytest.approx(10.98, abs=0.01)
    assert it.million_events == pytest.approx(219.53, abs=0.01)


ADDED_BY_HAND = {
    # The sink's function: a second for each of 50,000 batches, of 2 GB; and its checkpoints.
    "lake": {"flex-execution-time": 3_000_000, "flex-executions": 1_500_000, "blob-writes": 3_000_000},
    "sendToLogAnalytics": {
        "flex-execution-time": 3_000_000,
        "flex-executions": 1_500_000,
        "blob-writes": 1_500_000,
        "logs": 1.5,
    },
    "publishToEventGrid": {
        "flex-execution-time": 3_000_000,
        "flex-executions": 1_500_000,
        "blob-writes": 1_500_000,
        "event-grid-operations": 3_000_000,
    },
    "webhooks": {"service-bus-operations": 4_500_000},
    "capture": {"capture": 720},
    "businessEvents": {"service-bus-standard": 720},
    "privateMonitoring": {"private-endpoints": 720},
    "readers": {},
}
"""What options add to the amounts of a month."""


@pytest.mark.parametrize("option", ADDED_BY_HAND)
def test_options_add_what_a_calculation_by_hand_says(option: str) -> None:
    with_it = {it.meter: it.amount for it in usage.month(TEST, 50_000, EVENT, FUNCTIONS, [option])}
    added = {name: amount - BY_HAND.get(name, 0) for name, amount in with_it.items()}
    assert {name: amount for name, amount in added.items() if amount} == pytest.approx(ADDED_BY_HAND[option])


def test_what_is_free_is_free_once_for_all_options() -> None:
    """Two options that publish to Event Grid share the operations that cost nothing."""
    chosen = ["eventGridTopic", "publishToEventGrid"]
    it = estimate(TEST, 1_000, event=EVENT, functions=FUNCTIONS, meters=prices.meters(), limits=LIMITS, options=chosen)
    [line] = [line for line in it.lines if line.use.meter == "event-grid-operations"]
    assert line.use.amount == 120_000
    assert line.usd == pytest.approx(0.06 * 20_000 / 100_000)


def test_rows_of_a_table_count_to_the_limit_of_the_logs() -> None:
    limited = replace(TEST, log_limit_gb=0.5)
    heights = {
        option: min(it.events_a_day for it in ceilings(limited, options.event_with(EVENT, [option]), LIMITS))
        for option in ("lake", "sendToLogAnalytics")
    }
    assert heights == pytest.approx({"lake": 50_000, "sendToLogAnalytics": 0.5e6 / 11})
    [logs] = [it for it in usage.month(limited, 50_000, EVENT, FUNCTIONS, ["sendToLogAnalytics"]) if it.meter == "logs"]
    assert logs.amount == 15.0


def test_every_option_with_a_price_can_be_added() -> None:
    assert options.OPTIONS.keys() == prices.options().keys()
    assert set(Functions.read().sinks) == {*options.READERS, "webhooks"}


def test_no_price_is_from_memory() -> None:
    """Each has a source that somebody can look up; what is assumed instead is named, with the way to find out."""
    for name, it in {**prices.meters(), **prices.options()}.items():
        assert len(it.source) > 10, name
        assert "memory" not in it.source, name
        assert it.on is None or it.on <= prices.read_on(), name
    known = {field.name for record in (PerEvent, Limits) for field in fields(record)}
    assert prices.assumptions().keys() <= known
    assert all(len(text) > 80 for text in prices.assumptions().values())


def test_the_limits_are_those_of_a_calculation_by_hand() -> None:
    """Events a day: Dataverse's allowance and its five minutes at two requests each, operations at four, and so on."""
    heights = {it.what.partition(" of ")[0]: it.events_a_day for it in ceilings(TEST, EVENT, LIMITS)}
    assert heights == pytest.approx(
        {
            "requests to Dataverse that the licences include": 250_000,
            "requests to Dataverse in five minutes, of one application user".partition(" of ")[0]: 864_000,
            "events in a second": 86_400_000,
            "processors": 6 * 86_400 / 0.004,
            "operations in a second": 21_600_000,
        }
    )
    assert estimated(1).ceilings[0].events_a_day == 250_000


def test_one_instance_is_billed_no_longer_than_a_day() -> None:
    """Executions that run at the same time are billed once; a load that needs more instances, for each of them."""
    assert Group("g", 10_000, 0.2, 64).billed_seconds(1.0) == 10_000
    assert Group("g", 500_000, 0.2, 64).billed_seconds(1.0) == 86_400
    assert Group("g", 50_000_000, 0.2, 64).billed_seconds(1.0) == 2 * 86_400


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("0 17 2 * * *", 1),
        ("30 * * * * *", 1440),
        ("*/20 * * * * *", 4320),
        ("50 */5 * * * *", 288),
        ("20 7-57/10 * * * *", 144),
    ],
)
def test_timers_run_as_often_as_their_schedule_says(schedule: str, runs: int) -> None:
    assert runs_a_day(schedule) == runs


def test_a_hybrid_connection_has_two_listeners() -> None:
    """So that one can be updated while the other works."""
    amounts = {it.meter: it.amount for it in usage.month(replace(TEST, hybrid_connections=3), 1, EVENT, FUNCTIONS)}
    assert amounts["relay-listeners"] == 6


def test_what_is_free_costs_nothing() -> None:
    meter = Meter(usd=2.0, per=10, unit="things", free=100, source="", on=None)
    assert (meter.cost(100), meter.cost(150)) == (0.0, 10.0)


def test_every_price_is_used_and_every_use_has_a_price() -> None:
    """In some environment, with a relay or an option; a price without a source would be one that somebody invented."""
    used = {
        it.meter
        for deployed in [*map(Deployed.read, environments.names()), replace(TEST, hybrid_connections=1)]
        for it in usage.month(deployed, 50_000, prices.per_event(), Functions.read(), options.OPTIONS)
        if it.amount
    }
    assert used == prices.meters().keys()
    assert all(meter.source for meter in prices.meters().values())


def test_options_are_priced_and_off() -> None:
    """Each is a parameter of main.bicep that no environment sets."""
    infra = REPOSITORY / "infra"
    main = (infra / "main.bicep").read_text(encoding="utf-8")
    files = "".join(path.read_text(encoding="utf-8") for path in infra.glob("main*.bicepparam"))
    for name, meter in prices.options().items():
        assert meter.source
        assert f"\nparam {name} " in main, name
        assert f"param {name} " not in files


NO_OPTIONS_OF_THEIR_OWN = {
    "accessRules",  # nothing to pay for
    "alertEmails",
    "alertWebhooks",
    "availability",  # meters: some environment has these
    "network",
    "protect",
    "zoneRedundant",
    "relay",
    "budget",  # free
    "entra",
    "operatorEventsToEventGrid",  # a few operations of publishToEventGrid
    "virtualTables",  # settings and a secret
}


def test_whatever_can_be_switched_on_has_a_price() -> None:
    """A parameter that is off by default is an option with a price, or is named above."""
    main = (REPOSITORY / "infra" / "main.bicep").read_text(encoding="utf-8")
    off = set(re.findall(r"^param (\w+) (?:[^=\n]+\?|bool = false|string = \'\'|\w+\[\] = \[\])$", main, re.MULTILINE))
    assert off - NO_OPTIONS_OF_THEIR_OWN == prices.options().keys()
    assert off >= NO_OPTIONS_OF_THEIR_OWN


def test_the_command_says_what_each_environment_costs(capsys: pytest.CaptureFixture[str]) -> None:
    """With the limit that is reached first, what is assumed, and the day on which prices were read."""
    assert dispatch(["cost", "--events-per-day", "400,000", "--dataverse-requests-per-day", "600000"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f" {name} " in shown for name in environments.names())
    assert "300,000 (REACHED)" in shown
    assert "Assumed, and not measured: dataverse_requests_a_day and log_kilobytes" in shown
    assert str(prices.read_on()) in shown


def test_the_command_shows_an_environment_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["cost", "--events-per-day", "50000", "--environment", "prod"]) == 0
    shown = capsys.readouterr().out
    assert "Service Bus Premium, one messaging unit" in shown
    assert "667.80" in shown


def test_the_command_adds_options(capsys: pytest.CaptureFixture[str]) -> None:
    """A lake of 50,000 events: its function for 1.5 million batches, its files and checkpoints; see above."""
    asked = ["cost", "--events-per-day", "50000", "--environment", "prod"]
    assert dispatch([*asked, "--with", "lake", "secondaryLocation"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "with lake and secondaryLocation, in US dollars" in shown
    assert "Service Bus Premium, one messaging unit 1,440 hours of a unit 1,335.60" in shown
