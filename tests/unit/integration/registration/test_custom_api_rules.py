"""Every rule of custom APIs, business events and catalogs is an error of the plan, with words that say it."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from integration.flow import CustomApi, EventFlow
from integration.registration.comparing import compare
from integration.registration.custom_api_rules import broken
from integration.registration.declaration import Declaration, StepOptions, Values
from integration.registration.declared_apis import (
    Catalog,
    Category,
    CustomApiOptions,
    RequestParameter,
    ResponseProperty,
)
from integration.registration.items import Found, State
from integration.registration.plan import Plan
from integration.registration.wanted import wanted

NAME = "new_Purchase"
API = f"custom-api.{NAME}"
TOLD = EventFlow(CustomApi(NAME, parameters={"Number": "text"}), key="Number")
VALUES = Values(
    url="https://test.crm4.dynamics.example",
    webhook_url="https://func.example/api/dataverse/webhook",
    webhook_key="env:KEY",
)
ANSWER = {"Points": ResponseProperty(type="Integer")}


def plan(
    options: CustomApiOptions | None = None,
    there: State | None = None,
    *,
    catalog: Catalog | None = None,
    steps: dict[str, StepOptions] | None = None,
) -> Plan:
    declaration = Declaration(custom_apis={NAME: options or CustomApiOptions()}, catalog=catalog, steps=steps or {})
    there = there or State(str(VALUES.url), "organisation")
    return compare(list(wanted([TOLD], declaration, VALUES, there)), there)


def errors(**options: Any) -> dict[str, str]:
    return {it.address: it.text for it in plan(CustomApiOptions(**options)).problems}


def test_an_event_of_another_system_breaks_no_rule() -> None:
    assert errors() == {}


def test_an_event_of_another_system_has_no_plug_in() -> None:
    assert "no plug-in may keep it from succeeding" in errors(plug_in="Contoso.Purchase")[API]


def test_a_plug_in_comes_with_its_custom_api() -> None:
    found = errors(plug_in="Contoso.Purchase", external=False)
    assert "the solution that brings the plug-in" in found[API]


@pytest.mark.parametrize("steps", ["none", "both"])
def test_an_event_of_another_system_takes_asynchronous_steps_only(steps: str) -> None:
    assert "its steps have to be asynchronous" in errors(steps=steps)[API]


def test_an_event_of_another_system_answers_nothing() -> None:
    assert "nothing sets a response property" in errors(responses=ANSWER)[API]


def test_an_event_of_another_system_is_an_action() -> None:
    problems = plan(CustomApiOptions(function=True, responses=ANSWER)).problems
    assert any("functions are in no catalog" in it.text for it in problems)


def test_a_custom_api_that_is_no_event_may_answer_and_let_others_take_part() -> None:
    assert errors(external=False, steps="both", responses=ANSWER) == {}


def test_a_function_answers_something() -> None:
    assert "has to have a response property" in errors(external=False, function=True)[API]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"binding": "entity"}, "bound-table has to name the table"),
        ({"bound_table": "account"}, "can have no bound-table"),
    ],
)
def test_what_is_bound_names_its_table_and_nothing_else_does(options: dict[str, Any], said: str) -> None:
    assert said in errors(**options)[API]


def test_a_name_has_the_prefix_of_the_publisher() -> None:
    there = Declaration(custom_apis={"abc_Purchase": CustomApiOptions()})
    values = Values(url="https://x.example", webhook_url="https://f.example", webhook_key="env:KEY")
    state = State("https://x.example", "organisation")
    found = compare(list(wanted([], there, values, state)), state).problems
    assert [it.text for it in found] == ["the unique name has to begin with new_, the prefix of the publisher"]


def test_only_rows_and_references_are_of_a_table() -> None:
    wrong = errors(parameters={"Total": RequestParameter(type="Money", table="account")})
    assert "is of a table" in wrong[f"parameter.{NAME}.Total"]
    assert errors(parameters={"Customer": RequestParameter(type="EntityReference", table="account")}) == {}


def test_a_type_is_one_of_the_thirteen() -> None:
    with pytest.raises(ValidationError, match="StringArray"):
        RequestParameter.model_validate({"type": "text"})


def test_the_step_on_a_custom_api_runs_as_that_allows() -> None:
    synchronous = {NAME: StepOptions(mode="synchronous", delete_completed_jobs=False)}
    assert [it.text for it in plan(steps=synchronous).problems] == [f"{NAME} allows asynchronous steps only"]
    none = plan(CustomApiOptions(external=False, steps="none")).problems
    assert [it.text for it in none] == [f"{NAME} allows no steps"]


def catalog(**category: Any) -> Catalog:
    return Catalog(unique_name="new_Catalog", categories={"new_Sales": Category(**category)})


def test_the_step_on_a_custom_api_has_no_filtering_attributes() -> None:
    items = wanted([TOLD], Declaration(custom_apis={NAME: CustomApiOptions()}), VALUES)
    (step,) = [it for it in items if it.kind == "step"]
    wrong = replace(step, fields={**step.fields, "filteringattributes": ["name"]})
    (problem,) = broken([wrong], State(str(VALUES.url), "organisation"))
    assert problem.text == "filtering attributes are for Update only, not for a custom API"


def test_the_catalog_lists_what_there_is() -> None:
    listed = catalog(custom_apis=(NAME, "new_Nothing"), tables=("nothing",))
    assert {it.address: it.text for it in plan(catalog=listed).problems} == {
        "assignment.new_Sales.new_Nothing": "there is no custom API new_Nothing",
        "assignment.new_Sales.nothing": "there is no table nothing in this environment",
    }


def test_a_function_is_in_no_catalog() -> None:
    function = CustomApiOptions(external=False, function=True, responses=ANSWER)
    (problem,) = plan(function, catalog=catalog(custom_apis=(NAME,))).problems
    assert "only actions are in a catalog" in problem.text


def test_a_category_stays_in_its_catalog() -> None:
    there = State("https://test.crm4.dynamics.example", "organisation")
    fields = {"displayname": "new_Sales", "catalog": "new_Other"}
    there.add(Found("category", "new_Sales", "c", fields, owned=True))
    (problem,) = plan(there=there, catalog=catalog()).problems
    assert "has to change its catalog" in problem.text


FIXED: dict[str, Any] = {
    "bindingtype": 1,
    "boundentitylogicalname": "account",
    "isfunction": True,
    "allowedcustomprocessingsteptype": 2,
}


@pytest.mark.parametrize("column", FIXED)
def test_what_dataverse_keeps_for_ever_is_made_again(column: str) -> None:
    there = State("https://test.crm4.dynamics.example", "organisation")
    declared = {it.address: it for it in plan().changes}[API]
    assert declared.after is not None
    there.add(Found("custom-api", NAME, "a", {**declared.after, column: FIXED[column]}, owned=True))
    (change,) = [it for it in plan(there=there).changes if it.address == API]
    assert (change.action, change.differs) == ("replace", [column])
    assert "deleted and made again" in change.consequences[0]


def test_a_plug_in_that_somebody_has_given_to_an_event_is_taken_away() -> None:
    there = State("https://test.crm4.dynamics.example", "organisation")
    declared = {it.address: it for it in plan().changes}[API]
    assert declared.after is not None
    there.add(Found("custom-api", NAME, "a", {**declared.after, "plugin": "an-id"}, owned=True))
    (change,) = [it for it in plan(there=there).changes if it.address == API]
    assert change.action == "update"
    assert "somebody has given it a plug-in" in change.consequences[0]
