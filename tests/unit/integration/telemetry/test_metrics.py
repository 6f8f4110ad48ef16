"""What is counted, what is known, and that neither grows without bound."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from integration.telemetry import metrics
from integration.telemetry.metrics import Counter, Gauge


@pytest.fixture(autouse=True)
def _on() -> Iterator[None]:
    metrics.switch_on()
    yield
    metrics.switch_on(counting=False)


def counter() -> Counter:
    return Counter("test.counted", "{event}", "A test.", ("state",))


def test_nothing_is_counted_while_it_is_off() -> None:
    metrics.switch_on(counting=False)
    counted, known = counter(), Gauge("test.known", "s", "A test.")
    counted.add("completed")
    known.set(1.0)
    assert (list(counted.observed()), list(known.observed())) == ([], [])


def test_a_counter_counts_by_its_attributes() -> None:
    counted = counter()
    for state in ("completed", "completed", "superseded"):
        counted.add(state)
    assert list(counted.observed()) == [(2, {"state": "completed"}), (1, {"state": "superseded"})]


def test_values_that_nobody_foresaw_are_counted_together() -> None:
    """Whatever an attribute is filled with, an exporter gets two hundred sets of them and one more at most."""
    counted = counter()
    for number in range(1_000):
        counted.add(f"state {number}")
    found = list(counted.observed())
    assert len(found) == 201
    assert found[-1] == (800, {"state": "other"})


def test_a_value_that_nobody_sets_any_more_is_not_known_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another instance may run the timer now: this one must not go on saying what it once knew."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    known = Gauge("test.known", "s", "A test.", ("system",))
    known.set(2.0, "erp")
    now[0] += 170
    known.set(3.0, "credit")
    now[0] += 20
    assert list(known.observed()) == [(3.0, {"system": "credit"})]


def test_each_instrument_is_one_of_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, units and values as the SDK gives them to an exporter."""
    counted, known = counter(), Gauge("test.known", "s", "A test.")
    monkeypatch.setattr(metrics, "INSTRUMENTS", [counted, known])
    reader = InMemoryMetricReader()
    metrics.observe(MeterProvider([reader]).get_meter("test"))
    counted.add("completed", amount=3)
    known.set(1.5)
    data: Any = reader.get_metrics_data()
    found = {it.name: it for it in data.resource_metrics[0].scope_metrics[0].metrics}
    (total,), (value,) = (found[name].data.data_points for name in ("test.counted", "test.known"))
    assert (found["test.counted"].unit, found["test.counted"].data.is_monotonic) == ("{event}", True)
    assert (total.value, dict(total.attributes), value.value) == (3, {"state": "completed"}, 1.5)


def test_names_and_attributes_are_of_one_form() -> None:
    for instrument in metrics.INSTRUMENTS:
        assert all(name.startswith("integration.") for name in (instrument.name, *instrument.attributes))
        assert instrument.unit
        assert instrument.description.endswith(".")
    assert len({it.name for it in metrics.INSTRUMENTS}) == len(metrics.INSTRUMENTS)
