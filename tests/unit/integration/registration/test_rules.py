"""Every rule of the event framework that a declaration can break is an error of the plan, with words that say it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from integration.dataverse.external import CREATED
from integration.errors import ConfigurationError
from integration.flow import Columns, Flow, text, text_result
from integration.registration.comparing import compare
from integration.registration.declaration import Declaration, Endpoint, Named, StepOptions, Values
from integration.registration.items import Filter, Found, Item, State
from integration.registration.rules import untracked
from integration.registration.wanted import wanted


class Account(Columns):
    name = text("name")


FLOW = Flow(
    Account,
    table="account",
    entity_set="accounts",
    results=(text_result("number", "Number", max_length=50, holds="the number", key=True),),
    pre_image=("name", "number"),
)


def values(**given: Any) -> Values:
    more = {"webhook_url": "https://func.example/api/dataverse/webhook", "webhook_key": "env:KEY", **given}
    return Values(url="https://test.crm4.dynamics.example", **more)


def state(**given: Any) -> State:
    """An environment in which nothing is registered."""
    found = State("https://test.crm4.dynamics.example", "organisation")
    found.columns["account"] = frozenset({"accountid", "name"})
    for message in ("Create", "Update", "Delete"):
        found.filters["account", message] = Filter("f", "m", steps_allowed=True)
    return replace(found, **given)


def items(*, steps: dict[str, StepOptions] | None = None, **given: Any) -> list[Item]:
    return list(wanted([FLOW], Declaration(steps=steps or {}), values(**given)))


def errors(declared: list[Item], there: State | None = None) -> dict[str, str]:
    return {it.address: it.text for it in compare(declared, there or state()).problems}


def changed(address: str, **fields: object) -> list[Item]:
    """What is declared, with some fields of one thing otherwise."""
    return [replace(it, fields={**it.fields, **fields}) if it.address == address else it for it in items()]


CREATE, UPDATE, DELETE = (f"step.account.{it}" for it in ("Create", "Update", "Delete"))
IMAGE = "image.account.Delete.PreImage"


def test_what_the_flow_needs_breaks_no_rule() -> None:
    assert errors(items()) == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stage": 30}, "the stage has to be"),
        ({"stage": 20}, "an asynchronous step runs in stage 40"),
        ({"rank": 0}, "the rank has to be 1 or more"),
        ({"mode": "synchronous"}, "no jobs to delete"),
    ],
)
def test_a_step_keeps_the_rules_of_stage_mode_and_rank(options: dict[str, Any], said: str) -> None:
    found = errors(items(steps={"account.Update": StepOptions(**options)}))
    assert found.keys() == {UPDATE}
    assert said in found[UPDATE]


@pytest.mark.parametrize("stage", [10, 20, 40])
def test_a_synchronous_step_may_run_in_every_stage_and_says_what_it_costs(stage: int) -> None:
    options = StepOptions(mode="synchronous", stage=stage, delete_completed_jobs=False)
    plan = compare(items(steps={"account.Update": options}), state())
    assert plan.problems == ()
    (change,) = [it for it in plan.changes if it.address == UPDATE]
    assert "people wait" in change.consequences[0]


def test_only_update_has_filtering_attributes() -> None:
    assert "for Update only" in errors(changed(CREATE, filteringattributes=["name"]))[CREATE]


def test_an_update_without_filtering_attributes_is_a_consequence_in_words() -> None:
    plan = compare(changed(UPDATE, filteringattributes=[]), state())
    (change,) = [it for it in plan.changes if it.address == UPDATE]
    assert change.consequences[0].startswith("has no filtering attributes: every save of account sends an event")


def test_filtering_attributes_are_columns_of_the_table() -> None:
    assert "no column nothing" in errors(changed(UPDATE, filteringattributes=["name", "nothing"]))[UPDATE]


def test_a_step_name_fits_its_column() -> None:
    assert "256 characters" in errors(changed(CREATE, name="x" * 257))[CREATE]


def test_a_table_that_is_not_there_is_named() -> None:
    assert "no table account" in errors(items(), state(columns={}))[UPDATE]


def test_a_message_that_the_table_does_not_have_is_named() -> None:
    assert "no message Update" in errors(items(), state(filters={}))[UPDATE]


def test_a_message_on_which_dataverse_allows_no_steps_is_named() -> None:
    there = state()
    there.filters["account", "Delete"] = Filter("f", "m", steps_allowed=False)
    assert errors(items(), there) == {DELETE: "Dataverse allows no steps on Delete of account"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"imagetype": 1}, "no row after Delete"),
        ({"imagetype": 2}, "no row after Delete"),
        ({"messagepropertyname": "Id"}, "is of Target"),
        ({"attributes": []}, "has to list its columns"),
        ({"attributes": ["nothing"]}, "no column nothing"),
    ],
)
def test_an_image_of_a_deleted_row_keeps_its_rules(fields: dict[str, Any], said: str) -> None:
    assert said in errors(changed(IMAGE, **fields))[IMAGE]


def test_there_is_no_pre_image_of_a_row_that_is_created() -> None:
    fields = {"entityalias": "PreImage", "imagetype": 0, "messagepropertyname": "Id", "attributes": ["name"]}
    image = Item("image", "account.Create.PreImage", fields)
    assert "no row before Create" in errors([*items(), image])[image.address]


def test_a_post_image_needs_the_stage_after_the_operation() -> None:
    options = StepOptions(mode="synchronous", stage=20, delete_completed_jobs=False)
    fields = {"entityalias": "PostImage", "imagetype": 1, "messagepropertyname": "Target", "attributes": ["name"]}
    image = Item("image", "account.Update.PostImage", fields)
    found = errors([*items(steps={"account.Update": options}), image])
    assert "stage 40" in found[image.address]


def test_a_message_without_images_has_none() -> None:
    fields = {"entityalias": "x", "imagetype": 0, "messagepropertyname": "Target", "attributes": ["name"]}
    image = Item("image", "account.Associate.x", fields)
    assert "can have no images" in errors([*items(), image])[image.address]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://func.example/api", "has to be https"),
        ("https://localhost/api", "on this machine"),
        ("https://func.example/" + "x" * 2000, "2000 characters"),
    ],
)
def test_the_webhook_has_an_address_that_dataverse_can_call(url: str, said: str) -> None:
    assert said in errors(items(webhook_url=url))["endpoint.webhook"]


def test_the_solution_has_the_prefix_of_the_columns() -> None:
    """A solution of another publisher would give the columns another name."""
    there = state(publisher_prefix="abc")
    there.add(Found("solution", "integration", "s", {"publisher": "other", "friendlyname": "x"}, owned=False))
    assert "prefix is abc" in errors(items(), there)["solution.integration"]


def test_a_publisher_of_somebody_else_has_the_prefix_of_the_columns() -> None:
    there = state()
    fields = {"friendlyname": "Other", "customizationprefix": "abc"}
    there.add(Found("publisher", "integration", "p", fields, owned=False))
    assert "prefix is abc" in errors(items(), there)["solution.integration"]


def test_a_table_has_at_most_ten_alternate_keys() -> None:
    there = state()
    for number in range(10):
        there.add(Found("key", f"account.key{number}", "k", {"columns": ["x"], "label": "x"}, owned=False))
    assert "at most 10" in errors(items(), there)["key.account"]


def test_a_step_that_is_there_twice_sends_every_event_twice() -> None:
    there = state()
    declared = next(it for it in items() if it.address == DELETE)
    for number in ("1", "2"):
        there.add(Found("step", "account.Delete", number, declared.fields, owned=True))
    assert "sent twice" in errors(items(), there)[DELETE]


def test_what_others_have_twice_is_theirs() -> None:
    """Steps that are not declared, and an endpoint that only has the name of ours."""
    there = state()
    endpoint = next(it for it in items() if it.kind == "endpoint")
    there.add(Found("endpoint", "webhook", "1", endpoint.fields, owned=True))
    there.add(Found("endpoint", "webhook", "2", endpoint.fields, owned=False))
    for number in ("3", "4"):
        there.add(Found("step", "contact.Create", number, {}, owned=False))
    assert errors(items(), there) == {}


CONFLICTS: dict[str, tuple[Callable[[Item], Found], str]] = {
    "somebody else's": (lambda it: Found(it.kind, it.name, "x", it.fields, owned=False), "is not managed by this app"),
    "of a managed solution": (
        lambda it: Found(it.kind, it.name, "x", {**it.fields, "label": "other"}, owned=True, managed=True),
        "belongs to a managed solution and differs in label",
    ),
    "of another type": (
        lambda it: Found(it.kind, it.name, "x", {**it.fields, "type": "Memo"}, owned=True),
        "has to change its type",
    ),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_column_that_cannot_be_ours_or_cannot_change_is_an_error(case: str) -> None:
    found, said = CONFLICTS[case]
    item = next(it for it in items() if it.address == "column.account.new_number")
    there = state()
    there.add(found(item))
    assert said in errors(items(), there)[item.address]


def test_an_endpoint_that_others_call_is_not_deleted() -> None:
    there = state(others={"e": 2})
    there.add(Found("endpoint", "2", "e", {}, owned=True))
    assert "2 steps of others call it" in errors(items(), there)["endpoint.2"]


QUEUE = Declaration(endpoint=Endpoint(kind="queue", name="integration queue"))
IDENTITY = {"application": "0a0a0a0a-1111-4111-8111-000000000001", "tenant": "0a0a0a0a-2222-4222-8222-000000000001"}
BUS = {"namespace": "sb://ns.servicebus.windows.net/", "path": "dataverse-queue"}


def test_a_managed_identity_needs_an_environment_that_knows_it_and_is_kept_while_others_need_it() -> None:
    """Service endpoints of older environments have no column for it: there the endpoint needs a key."""
    declared = list(wanted([FLOW], QUEUE, values(bus={**BUS, "managed-identity": IDENTITY})))
    assert errors(declared) == {}
    assert "give [bus] a key" in errors(declared, state(takes_identity=False))["endpoint.queue"]
    there = state(others={"i": 1})
    there.add(Found("managed-identity", "another", "i", {}, owned=True))
    assert "1 service endpoints of others sign in with it" in errors(declared, there)["managed-identity.another"]


@pytest.mark.parametrize(
    ("given", "said"),
    [({"key": "env:SAS", "managed-identity": IDENTITY}, "both is given"), ({}, "neither is given")],
)
def test_an_endpoint_signs_in_with_a_key_or_an_identity(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        values(bus=BUS | given)


def test_a_webhook_has_no_managed_identity() -> None:
    with pytest.raises(ConfigurationError, match="Declare a queue, topic or hub"):
        items(bus={**BUS, "managed-identity": IDENTITY})


def test_a_publisher_of_ours_keeps_its_prefix() -> None:
    there = state()
    fields = {"friendlyname": "Integration", "customizationprefix": "abc"}
    there.add(Found("publisher", "integration", "p", fields, owned=True))
    assert "has to change its prefix" in errors(items(), there)["publisher.integration"]


def test_a_column_and_change_tracking_need_their_table() -> None:
    found = errors(items(), state(columns={}))
    assert "no table account" in found["column.account.new_number"]
    assert "no table account" in found["change-tracking.account"]


def test_a_privilege_that_the_environment_does_not_have_is_named() -> None:
    role = Item(
        "role", "Integration", {"privileges": {"prvReadAccount": "organization", "Read of project": "organization"}}
    )
    assert errors([role]) == {
        "role.Integration": "this environment has no privilege for Read of project, which the flows need"
    }


@pytest.mark.parametrize(("url", "refused"), [("http://erp.example/odata", True), ("https://erp.example/odata", False)])
def test_virtual_tables_are_read_over_https(url: str, refused: bool) -> None:
    source = Item("data-source", "erp", {"msdyn_uri": url})
    assert ("over https only" in errors([source]).get(source.address, "")) is refused


def test_a_virtual_table_needs_the_data_provider_of_odata() -> None:
    table = Item("virtual-table", "new_customer", {"external": "Customer", "collection": "Customers", "key": "Id"})
    assert "no OData v4 data provider" in errors([table])[table.address]
    assert table.address not in errors([table], state(data_provider="an-id"))


def test_only_a_virtual_table_reports_changes_from_outside() -> None:
    """Where it does, the table gets the message with that, and has no filter of it before."""
    declared = next(it for it in items() if it.address == CREATE)
    step = replace(declared, name=f"account.{CREATED}")
    endpoint = next(it for it in items() if it.kind == "endpoint")
    assert "nobody reports changes of account" in errors([endpoint, step])[step.address]
    events = Item("virtual-events", "account", {"created": True, "updated": True, "deleted": True})
    assert step.address not in errors([endpoint, step, events])


def test_names_are_checked_where_the_declaration_is_read() -> None:
    with pytest.raises(ValueError, match="unique-name"):
        Named.model_validate({"unique-name": "not a name"})


@pytest.mark.parametrize(
    ("declared", "there", "refused"), [(True, False, False), (False, False, True), (False, True, False)]
)
def test_a_flow_that_asks_for_change_tracking_gets_it(*, declared: bool, there: bool, refused: bool) -> None:
    """Somebody else may have enabled it; without it, the timer would fail every five minutes."""
    found = state()
    found.add(Found("change-tracking", "account", "t", {"enabled": there}, owned=True))
    flow = Flow(Account, table="account", entity_set="accounts", change_tracking=True)
    problems = list(untracked([flow], Declaration(change_tracking=declared), found))
    assert [it.address for it in problems] == (["change-tracking.account"] if refused else [])
    assert list(untracked([FLOW], Declaration(change_tracking=False), found)) == []
