"""The steps of checks in the Dataverse stand-in: planned, made, asked, found to differ, and removed."""

from integration.registration.declaration import Endpoint
from integration.synchronous import Check
from tests.contract.integration.registration.conftest import Open
from tests.contract.integration.registration.declared import KEY
from tests.contract.integration.registration.plans import applied, changes
from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver

NAMES = Check(table="account", messages=("Create", "Update"), attributes=("name",), unavailable="Later.")
ENDPOINT = "endpoint.check.name-check"
STEPS = {"step.account.Create.name-check", "step.account.Update.name-check"}


async def test_a_check_gets_an_endpoint_of_its_own_and_synchronous_steps(
    opened: Open, person: Dataverse, receiver: Receiver
) -> None:
    """Beside the steps of flows on the same messages; a second plan is empty, and its address is asked with the key."""
    async with opened(webhook_url=receiver.url, known={"name-check": NAMES}) as environment:
        first = changes((await environment.read()).plan)
        assert {it for it in first if "name-check" in it} == {ENDPOINT, *STEPS}
        last = await applied(environment)
        assert (last.plan.exit_code, last.plan.changes) == (0, ())
    assert last.state.found[ENDPOINT].fields["url"] == f"{receiver.url.rpartition('/')[0]}/custom/name-check"
    stages = {it: last.state.found[it].fields["stage"] for it in STEPS}
    assert stages == {"step.account.Create.name-check": 40, "step.account.Update.name-check": 20}

    account = person.create("accounts", {"name": "New"})
    person.update(f"accounts({account})", {"name": "Other"})
    person.update(f"accounts({account})", {"telephone1": "1"})
    person.quiet()

    asked = [(path, headers["x-functions-key"]) for path, headers, _ in receiver.received if "custom" in path]
    assert [key for _, key in asked] == [KEY, KEY]


async def test_a_save_that_is_refused_is_not_saved(opened: Open, person: Dataverse, receiver: Receiver) -> None:
    """Neither a new row nor a changed one: both steps run within the transaction."""
    async with opened(webhook_url=receiver.url, known={"name-check": NAMES}) as environment:
        await applied(environment)
    account = person.create("accounts", {"name": "Good"})
    person.quiet()

    for method, path in (("PATCH", f"accounts({account})"), ("POST", "accounts")):
        receiver.answers.append(400)
        assert person.call(method, path, {"name": "Bad"}).status_code == 400
        person.quiet()

    assert person.get(f"accounts({account})?$select=name")["name"] == "Good"
    assert person.get("accounts?$filter=name eq 'Bad'")["value"] == []


async def test_a_step_that_somebody_has_disabled_is_found_and_enabled(opened: Open, person: Dataverse) -> None:
    """Saves went through unchecked meanwhile."""
    async with opened(known={"name-check": NAMES}) as environment:
        state = (await applied(environment)).state
        step = state.found["step.account.Update.name-check"].id
        person.update(f"sdkmessageprocessingsteps({step})", {"statecode": 1, "statuscode": 2})
        assert changes((await environment.read()).plan) == {"step.account.Update.name-check": "update"}
        assert (await applied(environment)).plan.exit_code == 0


async def test_a_check_that_is_no_longer_there_is_removed_with_its_steps(opened: Open, person: Dataverse) -> None:
    """Also where the environment is to ask no checks any more; the steps of flows stay."""
    async with opened(known={"name-check": NAMES}) as environment:
        flows = (await applied(environment)).state.found.keys() - {ENDPOINT, *STEPS}
    async with opened(known={"name-check": NAMES}, checks=False) as environment:
        plan = (await environment.read()).plan
        assert changes(plan) == dict.fromkeys([ENDPOINT, *STEPS], "delete")
        said = next(it for it in plan.changes if it.address == "step.account.Update.name-check").consequences
        assert said == ("Update of account goes through without name-check",)
        last = await applied(environment, allow_delete=True)
    assert last.plan.exit_code == 0
    assert last.state.found.keys() == flows


async def test_checks_are_asked_over_a_webhook_whatever_the_flows_have(opened: Open, person: Dataverse) -> None:
    """Nobody answers a message in a queue. And the keys of both endpoints can be sent again."""
    bus = {"namespace": "sb://contoso.servicebus.windows.net/", "path": "events", "key": "env:SAS"}
    secrets = {"env:KEY": KEY, "env:SAS": "k" * 44}
    queue = Endpoint(kind="queue")
    async with opened(known={"name-check": NAMES}, endpoint=queue, bus=bus, secrets=secrets) as environment:
        now = await applied(environment)
        await environment.rotate(now)
    assert now.plan.exit_code == 0
    assert {it.name for it in now.state.found.values() if it.kind == "endpoint"} == {"queue", "check.name-check"}
