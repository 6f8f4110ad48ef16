"""A flow is found because its file is there, and a setting switches it off."""

import sys
import types
from pathlib import Path

import pytest

from integration import flows
from integration.composition.services import build_services
from integration.errors import ConfigurationError
from integration.flow.discovery import all_in, event_names, flows_in, switched_on
from integration.flow.inbound import InboundFlow
from integration.settings import Settings
from tests.unit.integration.settings.test_reading import environment

FLOW = """
from integration.flow import Columns, Flow, text


class Thing(Columns):
    name = text("name")


flow = Flow(Thing, table="thing", entity_set="things")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """An empty package of flows."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "its_flows").mkdir()
    made = types.ModuleType("its_flows")
    made.__path__ = [str(tmp_path / "its_flows")]
    monkeypatch.setitem(sys.modules, "its_flows", made)
    for name in [it for it in sys.modules if it.startswith("its_flows.")]:
        monkeypatch.delitem(sys.modules, name)
    return made


def put(package: types.ModuleType, name: str, text: str) -> None:
    (Path(package.__path__[0]) / f"{name}.py").write_text(text, encoding="utf-8")


def test_every_file_is_a_flow_but_those_that_begin_with_an_underscore(package: types.ModuleType) -> None:
    put(package, "thing", FLOW)
    put(package, "_shared", "")
    assert {name: flow.table for name, flow in flows_in(package).items()} == {"thing": "thing"}


@pytest.mark.parametrize("text", ["", "flow = 5\n"])
def test_a_file_without_a_flow_is_refused(package: types.ModuleType, text: str) -> None:
    put(package, "nothing", text)
    with pytest.raises(ConfigurationError, match=r"its_flows\.nothing declares no `flow = Flow"):
        flows_in(package)


def test_two_effects_of_one_name_are_refused(package: types.ModuleType) -> None:
    """The ledger would take one for the other."""
    effect = '\n@flow.effect("e", system="s")\nasync def {}(row, kit, key):\n    return {{}}\n'
    put(package, "twice", FLOW + effect.format("one") + effect.format("two"))
    with pytest.raises(ConfigurationError, match="declares e twice"):
        flows_in(package)


def test_a_flow_that_is_switched_off_takes_no_events() -> None:
    """They then go to analytics only; the intake does not read their values either."""
    services = build_services(Settings.from_environment(environment(FLOWS_OFF='["contact"]')))
    tables = {table for table, _ in services.worker._handlers._handlers}
    assert tables == {it.table for name, it in all_in(flows).items() if name != "contact"}


def test_switching_off_what_is_not_there_is_refused() -> None:
    """A misspelt name would leave the flow on."""
    with pytest.raises(ConfigurationError, match=r"FLOWS_OFF: there is no flow contcat; there are .*contact"):
        switched_on(flows_in(flows), ["contcat"])


def test_two_flows_do_not_take_the_same_business_event() -> None:
    """Which of them it is for could not be known."""
    kinds = [
        InboundFlow("erp", it, events=(it,), tables={"account": "accounts"}, business_events={"Posted": it})
        for it in ("order", "invoice")
    ]
    with pytest.raises(ConfigurationError, match=r"erp\.order and erp\.invoice both take business events Posted"):
        event_names(kinds)
