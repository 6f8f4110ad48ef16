"""Custom APIs and the catalog as code: planned, made, repaired, made again, interrupted at every call."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.errors import Outage
from integration.flow import CustomApi, EventFlow, Flow, InboundFlow
from integration.registration.declared_apis import Catalog, Category, CustomApiOptions, RequestParameter
from integration.registration.environment import adoptable
from tests.contract.integration.registration.conftest import Open, opener
from tests.contract.integration.registration.declared import KEY, Account
from tests.contract.integration.registration.interrupted import Interrupted
from tests.contract.integration.registration.plans import applied, changes
from tests.contract.sandbox.systems.dataverse_client import (
    Dataverse,
    Receiver,
    register_step,
    register_webhook,
    sign_in,
)
from tests.contract.sandbox.systems.stand_in import StandIn, Start

API = CustomApi(
    "new_Purchase", parameters={"Number": "text", "Total": "amount", "At": "moment"}, repeat_key="RepeatKey"
)
CALLED = InboundFlow("pos", "purchase", events=("purchase",), custom_api=API)
TOLD = EventFlow(API, key="Number")
FLOWS = [CALLED, TOLD, Flow(Account, table="account", entity_set="accounts", messages=("Create",))]
CATEGORY = Category(display_name="Sales", custom_apis=("new_Purchase",), tables=("account",))
CATALOG = Catalog(unique_name="new_Integration", display_name="Integration", categories={"new_Sales": CATEGORY})
OPTIONS = CustomApiOptions(display_name="Customer purchase", parameters={"Store": RequestParameter(type="String")})
DECLARED: Mapping[str, Any] = {"catalog": CATALOG, "custom_apis": {"new_Purchase": OPTIONS}}
MADE = [
    "custom-api.new_Purchase",
    *(f"parameter.new_Purchase.{it}" for it in ("Number", "Total", "At", "RepeatKey", "Store")),
    "catalog.new_Integration",
    "category.new_Sales",
    "assignment.new_Sales.new_Purchase",
    "assignment.new_Sales.account",
    "step.none.new_Purchase",
]


async def test_a_custom_api_is_made_and_catalogued_and_its_call_arrives(
    opened: Open, unprepared: StandIn, person: Dataverse, receiver: Receiver
) -> None:
    """The app's own user calls it, which takes no privilege; a second plan is empty."""
    async with opened(FLOWS, webhook_url=receiver.url, declared=DECLARED, solution="registered") as environment:
        first = changes((await environment.read()).plan)
        assert [it for it in first if it.split(".")[0] in {"custom-api", "parameter", "catalog", "category"}] == MADE[
            :8
        ]
        last = await applied(environment)
        assert (last.plan.exit_code, last.plan.changes) == (0, ())
        assert set(MADE) <= set(last.plan.unchanged)
    app = sign_in(unprepared, "application")
    body = {"Number": "P-1", "Total": 12.5, "At": "2026-11-27T10:00:00Z", "RepeatKey": "k"}
    assert app.call("POST", "new_Purchase?tag=t", body).status_code == 204
    person.quiet()
    (context,) = receiver.contexts()
    assert (context["MessageName"], context["PrimaryEntityName"]) == ("new_Purchase", "none")
    assert [it["key"] for it in context["InputParameters"]] == ["Number", "Total", "At", "RepeatKey"]
    assert {headers["x-functions-key"] for _, headers, _ in receiver.received} == {KEY}
    catalogued = person.get("catalogassignments?$expand=CatalogId($select=uniquename)")["value"]
    assert [it["CatalogId"]["uniquename"] for it in catalogued] == ["new_Sales", "new_Sales"]


async def test_two_environments_get_the_same_ids_and_do_not_touch_each_other(
    opened: Open, start: Start, tmp_path: Path
) -> None:
    """Custom APIs, their parameters, the catalog and what is in it."""
    other = start("dataverse", "--state", tmp_path, "--unprepared", scheme="https", verify=tmp_path / "ca.pem")
    async with opened(FLOWS, declared=DECLARED) as first, opener(other)(FLOWS, declared=DECLARED) as second:
        one = await applied(first)
        assert set(MADE) <= set(changes((await second.read()).plan))
        two = await applied(second)
        assert (one.plan.exit_code, two.plan.exit_code) == (0, 0)
        ids = [{address: each.state.found[address].id for address in MADE} for each in (one, two)]
        assert ids[0] == ids[1]
        sign_in(other, "human").update(f"catalogs({ids[1]['category.new_Sales']})", {"displayname": "Other"})
        assert (await first.read()).plan.exit_code == 0
        assert changes((await second.read()).plan) == {"category.new_Sales": "update"}


async def test_what_somebody_has_changed_is_repaired(opened: Open, person: Dataverse) -> None:
    async with opened(FLOWS, declared=DECLARED) as environment:
        state = (await applied(environment)).state
        own = {address: state.found[address].id for address in MADE}
        person.update(f"customapis({own['custom-api.new_Purchase']})", {"displayname": "Other", "isprivate": True})
        person.update(f"catalogs({own['category.new_Sales']})", {"displayname": "Other"})
        store = f"customapirequestparameters({own['parameter.new_Purchase.Store']})"
        assert person.call("DELETE", store).status_code == 204
        assignment = f"catalogassignments({own['assignment.new_Sales.account']})"
        assert person.call("DELETE", assignment).status_code == 204
        assert changes((await environment.read()).plan) == {
            "custom-api.new_Purchase": "update",
            "parameter.new_Purchase.Store": "create",
            "category.new_Sales": "update",
            "assignment.new_Sales.account": "create",
        }
        assert (await applied(environment)).plan.exit_code == 0


CHANGED = {
    "custom_apis": {"new_Purchase": OPTIONS.model_copy(update={"steps": "both", "external": False})},
    "catalog": CATALOG,
}


async def test_what_dataverse_keeps_for_ever_is_made_again_with_all_that_refers_to_it(opened: Open) -> None:
    """The plan says so: the custom API is replaced; parameters, its place in the catalog and its step are created."""
    async with opened(FLOWS, declared=DECLARED) as environment:
        await applied(environment)
    async with opened(FLOWS, declared=CHANGED) as environment:
        plan = (await environment.read()).plan
        (change,) = [it for it in plan.changes if it.address == "custom-api.new_Purchase"]
        assert (change.action, change.differs) == ("replace", ["allowedcustomprocessingsteptype"])
        assert "calls fail meanwhile" in change.consequences[0]
        assert changes(plan) == {
            "custom-api.new_Purchase": "replace",
            **{it: "create" for it in MADE if it.startswith("parameter.")},
            "assignment.new_Sales.new_Purchase": "create",
            "step.none.new_Purchase": "create",
        }
        assert (await applied(environment)).plan.exit_code == 0


async def test_a_parameter_of_another_type_is_made_again_by_itself(opened: Open) -> None:
    other = OPTIONS.model_copy(update={"parameters": {"Store": RequestParameter(type="Integer", required=True)}})
    async with opened(FLOWS, declared=DECLARED) as environment:
        await applied(environment)
    async with opened(FLOWS, declared={**DECLARED, "custom_apis": {"new_Purchase": other}}) as environment:
        assert changes((await environment.read()).plan) == {"parameter.new_Purchase.Store": "replace"}
        assert (await applied(environment)).plan.exit_code == 0


@pytest.mark.parametrize("declared", [DECLARED, CHANGED], ids=["made", "made again"])
async def test_apply_that_is_interrupted_at_any_call_is_finished_by_the_next_one(
    opened: Open, declared: Mapping[str, Any]
) -> None:
    if declared is CHANGED:
        async with opened(FLOWS, declared=DECLARED) as environment:
            await applied(environment)
    async with opened(FLOWS, wrap=Interrupted, declared=declared) as environment:
        runs = 0
        while (now := await environment.read()).plan.changes:
            with pytest.raises(Outage):
                await environment.apply(now, lambda _change: None)
            runs += 1
            assert runs < 60
        assert (now.plan.exit_code, runs > 8) == (0, True)


async def test_a_step_of_somebody_else_keeps_a_custom_api_from_being_made_again(
    opened: Open, person: Dataverse
) -> None:
    """Dataverse would refuse to delete it."""
    async with opened(FLOWS, declared=DECLARED) as environment:
        await applied(environment)
    endpoint = register_webhook(person, "http://localhost:1/x")
    theirs = register_step(person, endpoint, "new_Purchase", None, name="theirs")
    async with opened(FLOWS, declared=CHANGED) as environment:
        assert [it.text for it in (await environment.read()).plan.problems] == [
            "has to be made again, and steps of others are registered on it: theirs"
        ]
    assert person.call("DELETE", f"sdkmessageprocessingsteps({theirs})").status_code == 204


async def test_what_is_no_longer_declared_is_deleted_only_where_that_is_allowed(opened: Open) -> None:
    fewer = [FLOWS[2]]
    async with opened(FLOWS, declared=DECLARED) as environment:
        await applied(environment)
    async with opened(fewer) as environment:
        planned = changes((await environment.read()).plan)
        assert planned == dict.fromkeys(MADE, "delete")
        assert (await applied(environment)).plan.count("delete") == len(MADE)
        assert (await applied(environment, allow_delete=True)).plan.exit_code == 0


async def test_one_that_somebody_has_made_by_hand_is_refused_until_it_is_imported(
    opened: Open, person: Dataverse
) -> None:
    """It keeps its id; its parameters come along, and the missing ones are made."""
    texts = dict.fromkeys(("uniquename", "name", "displayname", "description"), "new_Purchase")
    part = dict.fromkeys(("uniquename", "name", "displayname", "description"), "Number")
    parameters = [{**part, "type": 10, "isoptional": True}]
    kind = {"bindingtype": 0, "allowedcustomprocessingsteptype": 1, "CustomAPIRequestParameters": parameters}
    by_hand = person.create("customapis", {**texts, **kind})
    async with opened(FLOWS, declared=DECLARED) as environment:
        now = await environment.read()
        assert [it.address for it in now.plan.problems] == ["custom-api.new_Purchase"]
        await environment.adopt(now, [it.address for it in adoptable(now)])
        assert changes((await environment.read()).plan)["custom-api.new_Purchase"] == "update"
        last = await applied(environment)
    assert last.plan.exit_code == 0
    assert last.state.found["custom-api.new_Purchase"].id == by_hand


async def test_a_custom_api_that_a_plug_in_brings_is_not_made(opened: Open) -> None:
    """Except where a sandbox has to stand in for the plug-in."""
    theirs = CustomApi("new_Report", parameters={"Number": "text"}, has_plug_in=True)
    flows = [InboundFlow("erp", "shipment", events=("shipment",), custom_api=theirs)]
    async with opened(flows) as environment:
        assert "custom-api.new_Report" not in changes((await environment.read()).plan)
    async with opened(flows, stand_in_for_plug_ins=True) as environment:
        assert changes((await environment.read()).plan)["custom-api.new_Report"] == "create"
