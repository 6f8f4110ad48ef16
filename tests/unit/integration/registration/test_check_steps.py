"""The steps of checks: what follows from a check, what may be said otherwise, and which rules hold for it."""

from dataclasses import replace
from typing import Any

import pytest

from integration.errors import ConfigurationError
from integration.registration.comparing import compare
from integration.registration.declaration import Declaration, Endpoint, StepOptions
from integration.registration.items import Item
from integration.registration.wanted import wanted
from integration.synchronous import Check
from tests.unit.integration.registration.test_rules import FLOW, state, values

CHECK = Check(table="account", messages=("Create", "Update", "Delete"), attributes=("name",), unavailable="Later.")
UPDATE = "step.account.Update.name-check"


def declared(check: Check = CHECK, steps: dict[str, StepOptions] | None = None, **given: Any) -> dict[str, Item]:
    """What is declared for the check, by its address; the flow has its own steps on the same messages."""
    declaration = Declaration(steps=steps or {})
    every = wanted([FLOW], declaration, values(**given), checks={"name-check": check})
    return {it.address: it for it in every if "name-check" in it.name}


def test_each_message_of_a_check_is_a_synchronous_step_on_the_webhook_of_the_check() -> None:
    """Before the operation, so that what is refused has cost nothing; a new row has its id only afterwards."""
    found = declared()
    endpoint = found.pop("endpoint.check.name-check")
    assert endpoint.fields["url"] == "https://func.example/api/dataverse/custom/name-check"
    assert {it.fields["endpoint"] for it in found.values()} == {"check.name-check"}
    assert {(it.fields["mode"], it.fields["asyncautodelete"]) for it in found.values()} == {(0, False)}
    assert {it.name: (it.fields["stage"], it.fields["filteringattributes"]) for it in found.values()} == {
        "account.Create.name-check": (40, []),
        "account.Update.name-check": (20, ["name"]),
        "account.Delete.name-check": (20, []),
    }


def test_it_breaks_no_rule_and_the_plan_says_that_people_wait() -> None:
    items = list(wanted([FLOW], Declaration(), values(), checks={"name-check": CHECK}))
    plan = compare(items, state())
    assert plan.problems == ()
    (change,) = [it for it in plan.changes if it.address == UPDATE]
    assert any("people wait" in it for it in change.consequences)


def test_a_column_that_the_table_does_not_have_is_named() -> None:
    item = declared()[UPDATE]
    wrong = replace(item, fields={**item.fields, "filteringattributes": ["nothing"]})
    (problem,) = compare([wrong], state()).problems
    assert "no column nothing" in problem.text


def test_what_the_declaration_says_of_a_step_holds_and_nothing_else_changes() -> None:
    """The defaults of a flow's step (asynchronous, stage 40) are not those of a check."""
    found = declared(steps={"account.Update.name-check": StepOptions(rank=5)})[UPDATE]
    assert (found.fields["rank"], found.fields["stage"], found.fields["mode"]) == (5, 20, 0)


def test_no_step_is_registered_where_the_environment_or_the_check_says_so() -> None:
    assert declared(checks=False) == {}
    assert declared(Check(table="account", unavailable="Later.")) == {}


def test_a_check_needs_a_webhook_where_the_events_of_flows_go_to_a_queue() -> None:
    bus = {"namespace": "sb://contoso.servicebus.windows.net/", "path": "events", "key": "env:SAS"}
    given = values(webhook_url=None, bus=bus)
    with pytest.raises(ConfigurationError, match="checks = false"):
        list(wanted([FLOW], Declaration(endpoint=Endpoint(kind="queue")), given, checks={"name-check": CHECK}))


@pytest.mark.parametrize(
    "said",
    [
        {"messages": ("Update",)},
        {"messages": ("Update",), "table": "account"},
        {"messages": ("Create",), "table": "account", "attributes": ("name",)},
    ],
)
def test_a_check_that_cannot_be_registered_is_refused_when_it_is_declared(said: dict[str, Any]) -> None:
    """Without a table, without the columns of an Update, and with columns of anything else."""
    with pytest.raises(ConfigurationError):
        Check(unavailable="Later.", **said)
