"""plan, apply and plan again: on an empty environment, one set up by hand, after each kind of drift, interrupted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.errors import ConfigurationError, Outage
from integration.flow import Flow
from integration.registration.declaration import Endpoint
from integration.registration.environment import adoptable, deletable
from integration.registration.plan import SavedPlan, save
from integration.transport import Transport
from tests.contract.integration.registration.conftest import Open, opener
from tests.contract.integration.registration.declared import KEY, NUMBER, Account
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

ATTRIBUTES = "EntityDefinitions(LogicalName='account')/Attributes"
KEYS = "EntityDefinitions(LogicalName='account')/Keys"


async def test_an_empty_environment_gets_everything_and_a_second_plan_is_empty(
    opened: Open, person: Dataverse, receiver: Receiver
) -> None:
    """Then a change arrives at the webhook with its key, and a write to a result column does not."""
    async with opened(webhook_url=receiver.url, solution="registered") as environment:
        first = await environment.read()
        assert first.plan.exit_code == 2
        assert set(changes(first.plan).values()) == {"create"}
        assert {it.kind for it in first.plan.changes} == {
            "publisher", "solution", "column", "key", "role", "user", "endpoint", "step", "image",
        }  # fmt: skip
        last = await applied(environment)
        assert (last.plan.exit_code, last.plan.changes) == (0, ())
        assert len(last.plan.unchanged) == len(first.items)
    account = person.create("accounts", {"name": "New"})
    person.update(f"accounts({account})", {"new_number": "1", "new_grade": 2})
    person.update(f"accounts({account})", {"telephone1": "1"})
    person.call("DELETE", f"accounts({account})")
    person.quiet()
    sent = {it["MessageName"]: it for it in receiver.contexts()}
    assert sorted(it["MessageName"] for it in receiver.contexts()) == ["Create", "Delete", "Update"]
    assert {headers["x-functions-key"] for _, headers, _ in receiver.received} == {KEY}
    image = {it["key"]: it["value"] for it in sent["Delete"]["PreEntityImages"][0]["value"]["Attributes"]}
    assert (image["name"], image["new_number"]) == ("New", "1")


async def test_what_is_registered_is_a_component_of_the_solution(opened: Open, person: Dataverse) -> None:
    async with opened(solution="registered") as environment:
        state = (await applied(environment)).state
    own = state.found["solution.registered"].id
    components = person.get(f"solutioncomponents?$select=objectid&$filter=_solutionid_value eq {own}")["value"]
    assert {it.id for it in state.found.values() if it.kind in {"endpoint", "step", "column"}} <= {
        it["objectid"] for it in components
    }


async def test_what_somebody_has_made_by_hand_is_refused_until_it_is_imported(opened: Open, person: Dataverse) -> None:
    """Nothing is changed before; afterwards the things keep their ids, and the rest is made around them."""
    endpoint = person.create(
        "serviceendpoints",
        {
            "name": "integration webhook",
            "url": "http://localhost:7071/api/dataverse/webhook",
            "contract": 8,
            "authtype": 5,
            "authvalue": '<settings><setting name="x" value="y" /></settings>',
        },
    )
    by_hand = register_step(person, endpoint, "Update", "account", filteringattributes="name")
    async with opened() as environment:
        now = await environment.read()
        assert {it.address for it in now.plan.problems} == {"endpoint.webhook", "step.account.Update"}
        assert all("dataverse import" in it.text for it in now.plan.problems)
        assert now.plan.exit_code == 1
        with pytest.raises(ConfigurationError, match="nothing was changed"):
            await environment.apply(now, lambda _change: None)
        with pytest.raises(ConfigurationError, match="cannot be imported"):
            await environment.adopt(now, ["step.account.Create"])
        await environment.adopt(now, [it.address for it in adoptable(now)])
        now = await environment.read()
        assert changes(now.plan)["step.account.Update"] == "update"
        update = next(it for it in now.plan.changes if it.address == "step.account.Update")
        assert update.consequences == ("changes of telephone1 alone were not sent until now",)
        last = await applied(environment)
    assert last.plan.exit_code == 0
    assert last.state.found["endpoint.webhook"].id == endpoint
    assert last.state.found["step.account.Update"].id == by_hand


async def test_a_column_made_by_hand_is_imported_with_its_label_and_length(opened: Open, person: Dataverse) -> None:
    kind = "Microsoft.Dynamics.CRM.StringAttributeMetadata"
    text = {"LocalizedLabels": [{"Label": "Nummer", "LanguageCode": 1033}]}
    body = {"@odata.type": kind, "SchemaName": "new_Number", "MaxLength": 100, "DisplayName": text}
    assert person.call("POST", ATTRIBUTES, body).status_code == 204
    async with opened() as environment:
        now = await environment.read()
        await environment.adopt(now, [it.address for it in adoptable(now)])
        change = next(it for it in (await environment.read()).plan.changes if it.address == "column.account.new_number")
        assert (change.action, change.differs) == ("update", ["label", "MaxLength"])
        assert "becomes shorter" in change.consequences[0]
        assert (await applied(environment)).plan.exit_code == 0


def row(person: Dataverse, entity_set: str, where: str = "") -> str:
    """The path of the one row there."""
    (found,) = person.get(entity_set + (f"?$filter={where}" if where else ""))["value"]
    return f"{entity_set}({found[entity_set.removesuffix('s') + 'id']})"


def step(person: Dataverse, message: str) -> str:
    return row(person, "sdkmessageprocessingsteps", f"name eq 'integration: {message} of account'")


def relabel(person: Dataverse) -> None:
    path = f"{ATTRIBUTES}(LogicalName='new_number')"
    found = person.get(path)
    found["DisplayName"]["LocalizedLabels"][0]["Label"] = "Renamed"
    assert person.call("PUT", path, {key: it for key, it in found.items() if key != "@odata.context"}).ok


def rename_option(person: Dataverse) -> None:
    label = {"LocalizedLabels": [{"Label": "Very good", "LanguageCode": 1033}]}
    column = {"EntityLogicalName": "account", "AttributeLogicalName": "new_grade"}
    assert person.call("POST", "UpdateOptionValue", {**column, "Value": 1, "Label": label, "MergeLabels": True}).ok


def give_too_much(person: Dataverse) -> None:
    """To delete accounts, at the depth of the business unit."""
    found = person.get("privileges?$filter=name eq 'prvDeleteAccount'&$select=privilegeid")["value"][0]
    role = person.get("roles?$filter=name eq 'Integration'&$select=roleid")["value"][0]["roleid"]
    given = {"Privileges": [{"Depth": "Local", "PrivilegeId": found["privilegeid"]}]}
    assert person.call("POST", f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", given).status_code == 204


def application_user(person: Dataverse) -> str:
    client = person.environment["application"]["client_id"]
    found = person.get(f"systemusers?$filter=applicationid eq {client}&$select=systemuserid")["value"]
    return f"systemusers({found[0]['systemuserid']})"


def withdraw_role(person: Dataverse) -> None:
    association = f"{application_user(person)}/systemuserroles_association"
    for it in person.get(f"{association}?$select=roleid")["value"]:
        assert person.call("DELETE", f"{association}({it['roleid']})/$ref").status_code == 204


USER = "user.44444444-dddd-4ddd-8ddd-444444444444"
IMAGES, ENDPOINTS = "sdkmessageprocessingstepimages", "serviceendpoints"
DRIFTS: tuple[dict[str, tuple[str, Callable[[Dataverse], Any]]], ...] = (
    {
        "step.account.Update": ("update", lambda it: it.update(step(it, "Update"), {"statecode": 1, "statuscode": 2})),
        "step.account.Create": ("update", lambda it: it.update(step(it, "Create"), {"rank": 7})),
        "image.account.Delete.PreImage": ("replace", lambda it: it.update(row(it, IMAGES), {"attributes": "name"})),
        "endpoint.webhook": ("update", lambda it: it.update(row(it, ENDPOINTS), {"url": "http://localhost:1/x"})),
        "column.account.new_number": ("update", relabel),
        "column.account.new_grade": ("update", rename_option),
        "key.account.new_numberkey": ("create", lambda it: it.call("DELETE", f"{KEYS}(LogicalName='new_numberkey')")),
        "role.Integration": ("update", give_too_much),
        USER: ("update", lambda it: it.update(application_user(it), {"isdisabled": True})),
    },
    {
        "step.account.Update": ("update", lambda it: it.update(step(it, "Update"), {"filteringattributes": None})),
        "step.account.Create": ("create", lambda it: it.call("DELETE", step(it, "Create"))),
        "image.account.Delete.PreImage": ("create", lambda it: it.call("DELETE", row(it, IMAGES))),
        "column.account.new_grade": (
            "create",
            lambda it: it.call("DELETE", f"{ATTRIBUTES}(LogicalName='new_grade')"),
        ),
        USER: ("update", withdraw_role),
    },
)
"""By address what apply then has to do, and what somebody does: two rounds, as one thing can drift in two ways."""


@pytest.mark.parametrize("drifts", DRIFTS, ids=["changed", "removed"])
async def test_each_kind_of_drift_is_found_and_repaired(
    opened: Open, person: Dataverse, drifts: dict[str, tuple[str, Callable[[Dataverse], Any]]]
) -> None:
    async with opened() as environment:
        await applied(environment)
        for _, drift in drifts.values():
            drift(person)
        found = await environment.read()
        assert changes(found.plan) == {address: action for address, (action, _) in drifts.items()}
        assert (await applied(environment)).plan.exit_code == 0


async def test_a_solution_and_a_publisher_of_ours_that_somebody_has_renamed_get_their_names_back(
    opened: Open, person: Dataverse
) -> None:
    async with opened(solution="registered") as environment:
        await applied(environment)
        for entity_set in ("solutions", "publishers"):
            person.update(row(person, entity_set, "uniquename eq 'registered'"), {"friendlyname": "Theirs"})
        renamed = {"publisher.registered": "update", "solution.registered": "update"}
        assert changes((await environment.read()).plan) == renamed
        assert (await applied(environment)).plan.exit_code == 0


async def test_change_tracking_is_enabled_on_a_table_that_has_none(opened: Open, person: Dataverse) -> None:
    """It cannot be switched off again, so it cannot drift, and the plan says so."""
    tracked = "EntityDefinitions(LogicalName='task')"
    flow = Flow(Account, table="task", entity_set="tasks", messages=("Create",))
    async with opened([flow]) as environment:
        (change,) = [it for it in (await environment.read()).plan.changes if it.kind == "change-tracking"]
        assert (change.address, change.action) == ("change-tracking.task", "update")
        assert change.consequences == ("cannot be switched off again",)
        assert (await applied(environment)).plan.exit_code == 0
    assert person.get(tracked)["ChangeTrackingEnabled"] is True


async def test_what_a_drift_has_cost_is_said(opened: Open, person: Dataverse) -> None:
    async with opened() as environment:
        await applied(environment)
        person.update(
            step(person, "Update"), {"statecode": 1, "statuscode": 2, "filteringattributes": "name,address1_city"}
        )
        (change,) = (await environment.read()).plan.changes
    assert change.differs == ["enabled", "filteringattributes"]
    assert change.consequences == (
        "somebody has disabled it: what has happened meanwhile was not sent",
        "changes of telephone1 alone were not sent until now",
        "changes of address1_city alone are not sent any more",
    )


async def test_an_option_that_somebody_has_added_stays(opened: Open, person: Dataverse) -> None:
    async with opened() as environment:
        await applied(environment)
        label = {"LocalizedLabels": [{"Label": "Ugly", "LanguageCode": 1033}]}
        column = {"EntityLogicalName": "account", "AttributeLogicalName": "new_grade"}
        answer = person.call("POST", "InsertOptionValue", {**column, "Value": 9, "Label": label})
        assert answer.json()["NewOptionValue"] == 9
        plan = (await environment.read()).plan
    assert plan.exit_code == 0
    assert [it.address for it in plan.notes if "options 9" in it.text] == ["column.account.new_grade"]


async def test_a_step_of_ours_that_calls_another_endpoint_is_brought_back(opened: Open, person: Dataverse) -> None:
    async with opened() as environment:
        await applied(environment)
        elsewhere = register_webhook(person, "http://localhost:1/x")
        bind: dict[str, object] = {"eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({elsewhere})"}
        person.update(step(person, "Create"), bind)
        assert changes((await environment.read()).plan) == {"step.account.Create": "update"}
        assert (await applied(environment)).plan.exit_code == 0


async def test_what_is_no_longer_declared_is_deleted_only_where_that_is_allowed(opened: Open) -> None:
    fewer = Flow(Account, table="account", entity_set="accounts", messages=("Create", "Update"), results=(NUMBER,))
    async with opened() as environment:
        await applied(environment)
    async with opened([fewer]) as environment:
        planned = changes((await environment.read()).plan)
        assert planned == {
            "image.account.Delete.PreImage": "delete",
            "step.account.Delete": "delete",
            "column.account.new_grade": "delete",
        }
        assert (await applied(environment)).plan.count("delete") == 3
        assert (await applied(environment, allow_delete=True)).plan.exit_code == 0


async def test_destroy_leaves_columns_and_everything_that_is_not_ours(opened: Open, person: Dataverse) -> None:
    """Also the endpoint, while a step of somebody else calls it."""
    async with opened() as environment:
        now = await applied(environment)
        theirs = register_step(person, now.state.found["endpoint.webhook"].id, "Create", "contact")
        now = await environment.read()
        assert any("1 steps of others call it" in it.text for it in now.plan.notes)
        await environment.destroy(now, lambda _change: None, with_columns=False)
        now = await environment.read()
        assert {it.kind for it in deletable(now.state, with_columns=True)} == {"column", "key", "role"}
        assert person.call("GET", f"sdkmessageprocessingsteps({theirs})").status_code == 200
        person.call("DELETE", f"sdkmessageprocessingsteps({theirs})")
        now = await environment.read()
        await environment.destroy(now, lambda _change: None, with_columns=True)
        left = [it for it in (await environment.read()).state.found.values() if it.owned]
    assert {it.kind for it in left} == {"change-tracking", "user"}


async def test_apply_that_is_interrupted_at_any_call_is_finished_by_the_next_one(opened: Open) -> None:
    """Each run loses the answer to its first write, and dies: the next one finds what that has made, and goes on."""
    senders: list[Interrupted] = []

    def wrap(transport: Transport) -> Interrupted:
        senders.append(Interrupted(transport))
        return senders[-1]

    async with opened(wrap=wrap, solution="registered") as environment:
        runs = 0
        while (now := await environment.read()).plan.changes:
            with pytest.raises(Outage):
                await environment.apply(now, lambda _change: None)
            runs += 1
            assert runs < 60
        assert now.plan.exit_code == 0
        assert runs == senders[0].writes > 12


async def test_destroy_that_is_interrupted_at_any_call_is_finished_by_the_next_one(opened: Open) -> None:
    async with opened(solution="registered") as environment:
        await applied(environment)
    async with opened(wrap=Interrupted, solution="registered") as environment:
        while deletable((now := await environment.read()).state, with_columns=True):
            with pytest.raises(Outage):
                await environment.destroy(now, lambda _change: None, with_columns=True)
        assert {it.action for it in now.plan.changes if it.kind != "user"} == {"create"}


async def test_the_steps_move_to_a_queue_before_the_webhook_is_deleted(opened: Open, person: Dataverse) -> None:
    """A key of the wrong length, such as a connection string, is refused before it is sent."""
    bus = {"namespace": "sb://ns.servicebus.windows.net/", "path": "dataverse-queue", "key": "env:SAS"}
    queue = Endpoint(kind="queue", name="integration queue")
    async with opened() as environment:
        await applied(environment)
    async with opened(endpoint=queue, bus=bus, secrets={"env:SAS": "Endpoint=sb://ns/;..."}) as environment:
        with pytest.raises(ConfigurationError, match="44 characters"):
            await applied(environment)
    async with opened(endpoint=queue, bus=bus, secrets={"env:SAS": "k" * 43 + "="}) as environment:
        planned = changes((await environment.read()).plan)
        assert (planned["endpoint.queue"], planned["endpoint.webhook"]) == ("create", "delete")
        assert planned["step.account.Update"] == "update"
        last = await applied(environment, allow_delete=True)
        assert last.plan.exit_code == 0
        await environment.rotate(last)
    (there,) = person.get("serviceendpoints")["value"]
    assert (there["contract"], there["path"], there["messageformat"]) == (2, "dataverse-queue", 2)
    assert (there["saskeyname"], there["issaskeyset"]) == ("dataverse-send", True)


async def test_two_environments_get_the_same_ids_and_do_not_touch_each_other(
    opened: Open, start: Start, tmp_path: Path
) -> None:
    """The ids of rows are part of a solution: they must not differ between environments."""
    other = start("dataverse", "--state", tmp_path, "--unprepared", scheme="https", verify=tmp_path / "ca.pem")
    async with opened() as first, opener(other)() as second:
        one = await applied(first)
        assert len((await second.read()).plan.changes) > 10
        two = await applied(second)
        assert (one.plan.exit_code, two.plan.exit_code) == (0, 0)
        ids = [{it.address: it.id for it in each.state.found.values() if it.owned} for each in (one, two)]
        assert ids[0] == ids[1]
        somebody = sign_in(other, "human")
        somebody.update(step(somebody, "Create"), {"rank": 9})
        assert (await first.read()).plan.exit_code == 0
        assert changes((await second.read()).plan) == {"step.account.Create": "update"}


async def test_another_organisation_than_the_values_name_is_refused(opened: Open) -> None:
    async with opened(organisation="00000000-1111-4111-8111-000000000000") as environment:
        with pytest.raises(ConfigurationError, match="Nothing was changed"):
            await environment.read()


async def test_a_saved_plan_is_refused_once_the_environment_has_changed(
    opened: Open, person: Dataverse, tmp_path: Path
) -> None:
    """It has no secret, and is that of the same declaration and the same state only."""
    async with opened() as environment:
        await applied(environment)
        person.update(step(person, "Create"), {"rank": 9})
        plan = (await environment.read()).plan
        save(plan, tmp_path / "plan.json")
        assert KEY not in (tmp_path / "plan.json").read_text("utf-8")
        saved = SavedPlan.read(tmp_path / "plan.json")
        saved.check((await environment.read()).plan)
        person.update(step(person, "Create"), {"rank": 8})
        with pytest.raises(ConfigurationError, match="plan again"):
            saved.check((await environment.read()).plan)


async def test_a_plan_says_how_many_events_a_day_new_steps_would_send(
    opened: Open, person: Dataverse, tmp_path: Path
) -> None:
    """What the rows of a week show; the numbers are no part of a plan, so it can be carried out once they differ."""
    async with opened() as environment:
        plan = (await environment.read()).plan
        save(plan, tmp_path / "plan.json")
        rows = [person.create("accounts", {"name": "New"}) for _ in range(14)]
        later = (await environment.read()).plan
        for it in rows:
            person.call("DELETE", f"accounts({it})")
        SavedPlan.read(tmp_path / "plan.json").check(later)
    before, after = ({it.address: it.text for it in each.estimates} for each in (plan, later))
    assert before.keys() == {"step.account.Create", "step.account.Update"}
    assert before != after
    assert "rows were created within 7 days: about" in after["step.account.Create"]
    assert "rows were changed within 7 days: about" in after["step.account.Update"]


async def test_the_key_is_sent_once_and_again_only_on_request(
    opened: Open, unprepared: StandIn, receiver: Receiver, person: Dataverse
) -> None:
    """It cannot be read: the endpoint's description says which one was set, and when."""
    async with opened(webhook_url=receiver.url) as environment:
        with pytest.raises(ConfigurationError, match="no endpoint"):
            await environment.rotate(await environment.read())
        now = await applied(environment)
        said = now.state.found["endpoint.webhook"].description
        assert said == "key of env:KEY, set on 2026-11-27 [managed by dataverse-integration]"
        assert now.state.found["endpoint.webhook"].fields["secret"] == "set"
        wrong: dict[str, object] = {"authvalue": '<settings><setting name="x-functions-key" value="old" /></settings>'}
        person.update(row(person, ENDPOINTS), wrong)
        await environment.rotate(await environment.read())
        assert (await environment.read()).plan.exit_code == 0
    person.call("DELETE", f"accounts({person.create('accounts', {'name': 'New'})})")
    person.quiet()
    assert {headers["x-functions-key"] for _, headers, _ in receiver.received} == {KEY}
    assert json.dumps(unprepared.control("GET", "requests").json()).count(KEY) <= 2
