"""The app's setting SYSTEMS, as the sandbox plays it."""

import json
from pathlib import Path
from typing import Any

import pytest

from integration.settings import Settings
from sandbox.running import given_systems
from sandbox.running.given_systems import SystemsError
from sandbox.running.state import Keys
from tests.unit.integration.settings.test_reading import environment

ERP = {"adapter": "business-central", "url": "https://bc.example", "matchBy": ["taxNumber"], "company": "not ours"}
GIVEN = {
    "erp": ERP,
    "marketing": {"adapter": "rest", "url": "https://marketing.example", "concurrency": 3, "apiKeyHeader": "X-Mine"},
    "warehouse": {"adapter": "finance-operations", "url": "https://fo.example", "unknownSeconds": 5},
}
OURS: dict[str, dict[str, Any]] = {
    "erp": {
        "adapter": "business-central",
        "url": "http://127.0.0.1:1",
        "company": "ours",
        "matchBy": ["accountNumber"],
    },
    "credit": {"adapter": "rest-scoring", "url": "http://127.0.0.1:2"},
    "marketing": {"adapter": "rest", "url": "http://127.0.0.1:3/marketing/api"},
}


def read(**systems: Any) -> given_systems.GivenSystems:
    return given_systems.read(json.dumps(systems))


def test_each_system_gets_the_stand_in_of_its_adapter() -> None:
    """The ERP and credit scoring take their places; the REST contract shares a process, others have their own."""
    given = read(**GIVEN, credit={"adapter": "creditsafe"}).at([4711])
    assert (given.erp, given.credit, given.rest) == ("business-central", "creditsafe", ("marketing",))
    assert [(it.name, it.url) for it in given.of_their_own] == [("warehouse", "http://127.0.0.1:4711")]
    [program] = given.programs(Keys(), Path("data"))
    assert program.name == "system-warehouse"
    assert "sandbox.systems.finance_operations" in program.command
    assert "--events-url" not in program.command


def test_addresses_and_keys_are_the_sandboxs_and_the_rest_holds() -> None:
    completed = (
        read(**GIVEN).at([4711]).settings({"SYSTEMS": json.dumps(OURS), "A": "b"}, Keys(erp="secret-of-the-erp"))
    )
    systems = json.loads(completed["SYSTEMS"])
    assert systems["erp"] == {**OURS["erp"], "matchBy": ["taxNumber"]}
    assert systems["credit"] == OURS["credit"]
    assert systems["marketing"] == {**OURS["marketing"], "concurrency": 3}
    assert (systems["warehouse"]["url"], systems["warehouse"]["unknownSeconds"]) == ("http://127.0.0.1:4711", 5)
    assert (completed["A"], completed["SYSTEMS_WAREHOUSE_CLIENT_SECRET"]) == ("b", "secret-of-the-erp")


def test_the_app_takes_what_comes_out() -> None:
    """Every kind of system under a name of its own."""
    kinds = ("rest", "rest-erp", "business-central", "finance-operations", "rest-scoring", "creditsafe")
    given = read(**{f"s{number}": {"adapter": it} for number, it in enumerate(kinds)})
    given = given.at(range(4000, 4000 + len(given.of_their_own)))
    rest = {"s0": {"adapter": "rest", "url": "http://127.0.0.1:1/s0/api", "apiKey": "k" * 20}}
    usual = environment()
    ours = {**json.loads(usual["SYSTEMS"]), **rest}
    completed = given.settings({**usual, "SYSTEMS": json.dumps(ours)}, Keys())
    assert {f"s{number}" for number in range(len(kinds))} <= Settings.from_environment(completed).systems.keys()


def test_a_system_of_a_flow_may_have_another_adapter_than_the_one_that_it_would_get() -> None:
    """It then signs in as that adapter does, and in no other way."""
    given = read(marketing={"adapter": "finance-operations"}).at([4711])
    key = {"SYSTEMS_MARKETING_API_KEY": "of the REST contract"}
    completed = given.settings({"SYSTEMS": json.dumps(OURS)} | key, Keys(erp="secret-of-the-erp"))
    assert json.loads(completed["SYSTEMS"])["marketing"]["url"] == "http://127.0.0.1:4711"
    assert "SYSTEMS_MARKETING_API_KEY" not in completed
    assert completed["SYSTEMS_MARKETING_CLIENT_SECRET"] == "secret-of-the-erp"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"wms": {"adapter": "acme-wms"}}', "'wms' with the adapter 'acme-wms'; it has them for business-central"),
        ('{"erp": {"adapter": "creditsafe"}}', "'erp' with the adapter 'creditsafe'"),
        ('{"credit": {"url": "https://x"}}', "'credit' with the adapter 'None'"),
        ("{", "no JSON"),
        ('["erp"]', "an object of systems"),
    ],
)
def test_what_cannot_be_played_is_said_with_what_can(text: str, says: str) -> None:
    with pytest.raises(SystemsError, match=says):
        given_systems.read(text)
