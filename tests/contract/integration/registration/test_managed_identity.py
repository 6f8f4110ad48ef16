"""An endpoint with a managed identity in place of a SAS key: planned, made, read back, moved, and deleted."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from integration.errors import ConfigurationError, Outage, Permanent
from integration.registration.declaration import Endpoint
from integration.registration.environment import Environment, adoptable
from integration.registration.plan import Plan
from tests.contract.integration.registration.conftest import Open
from tests.contract.integration.registration.interrupted import Interrupted
from tests.contract.integration.registration.plans import applied, changes
from tests.contract.sandbox.systems.dataverse_client import Dataverse
from tests.contract.sandbox.systems.stand_in import StandIn

QUEUE = Endpoint(kind="queue", name="integration queue")
WHERE = {"namespace": "sb://ns.servicebus.windows.net/", "path": "dataverse-queue"}
APPLICATION, TENANT = "0a0a0a0a-1111-4111-8111-000000000001", "0a0a0a0a-2222-4222-8222-000000000001"
BUS = {**WHERE, "managed-identity": {"application": APPLICATION, "tenant": TENANT}}
KEYED = {**WHERE, "key": "env:SAS"}
SAS = {"env:SAS": "k" * 43 + "="}
IDENTITY = "managed-identity.integration endpoint"


@asynccontextmanager
async def with_bus(opened: Open, bus: Mapping[str, Any], **given: Any) -> AsyncIterator[Environment]:
    """The environment with this [bus], and no flows; only a key is a secret that anybody asks for."""
    secrets = SAS if bus is KEYED else {}
    async with opened([], endpoint=QUEUE, bus=bus, secrets=secrets, application=None, **given) as environment:
        yield environment


def only(person: Dataverse, entity_set: str) -> dict[str, Any]:
    (row,) = person.get(entity_set)["value"]
    return dict(row)


def notes_of(plan: Plan, address: str) -> list[str]:
    return [it.text for it in plan.notes if it.address == address]


async def test_an_endpoint_signs_in_with_an_identity_and_no_secret_is_asked_for(
    opened: Open, person: Dataverse
) -> None:
    """A second plan is empty; it says which subject the federated credential needs, and there is no key to rotate."""
    async with with_bus(opened, BUS) as environment:
        first = changes((await environment.read()).plan)
        assert list(first).index(IDENTITY) < list(first).index("endpoint.queue")
        last = await applied(environment)
        assert (last.plan.exit_code, last.plan.changes) == (0, ())
        with pytest.raises(ConfigurationError, match="no endpoint of this app whose key"):
            await environment.rotate(last)
    identity, endpoint = only(person, "managedidentities"), only(person, "serviceendpoints")
    assert identity["name"] == "integration endpoint [managed by dataverse-integration]"
    assert (identity["applicationid"], identity["tenantid"]) == (APPLICATION, TENANT)
    assert (identity["credentialsource"], identity["subjectscope"]) == (2, 1)
    assert (endpoint["authtype"], endpoint["_managedidentityid_value"]) == (9, identity["managedidentityid"])
    assert (endpoint["issaskeyset"], endpoint["saskeyname"]) == (False, None)
    (subject,) = notes_of(last.plan, "endpoint.queue")
    assert subject.endswith(f"serviceendpoint/{endpoint['serviceendpointid']}")


async def test_an_endpoint_moves_to_an_identity_and_back_to_its_key(opened: Open, person: Dataverse) -> None:
    """The key is removed when it is not needed any more; the identity is deleted only where that is allowed."""
    async with with_bus(opened, KEYED) as environment:
        await applied(environment)
    async with with_bus(opened, BUS) as environment:
        plan = (await environment.read()).plan
        assert changes(plan) == {IDENTITY: "create", "endpoint.queue": "update"}
        said = {it.address: it.consequences for it in plan.changes}
        assert "its key is removed" in said["endpoint.queue"][0]
        assert "federated credential" in said[IDENTITY][0]
        assert (await applied(environment)).plan.exit_code == 0
    moved = only(person, "serviceendpoints")
    assert (moved["authtype"], moved["issaskeyset"], moved["saskeyname"]) == (9, False, None)
    assert "key of" not in moved["description"]
    async with with_bus(opened, KEYED) as environment:
        assert changes((await environment.read()).plan) == {"endpoint.queue": "update", IDENTITY: "delete"}
        assert changes((await applied(environment)).plan) == {IDENTITY: "delete"}
        back = only(person, "serviceendpoints")
        assert (back["authtype"], back["issaskeyset"], back["_managedidentityid_value"]) == (2, True, None)
        assert (await applied(environment, allow_delete=True)).plan.exit_code == 0
    assert person.get("managedidentities")["value"] == []


async def test_what_somebody_has_changed_of_an_identity_is_found_and_repaired(opened: Open, person: Dataverse) -> None:
    """Another application, and an endpoint that has lost its identity, which a deletion does."""
    async with with_bus(opened, BUS) as environment:
        row = f"managedidentities({(await applied(environment)).state.found[IDENTITY].id})"
        person.update(row, {"applicationid": TENANT})
        (change,) = (await environment.read()).plan.changes
        assert (change.address, change.differs) == (IDENTITY, ["applicationid"])
        assert (await applied(environment)).plan.exit_code == 0
        assert person.call("DELETE", row).status_code == 204
        assert changes((await environment.read()).plan) == {IDENTITY: "create", "endpoint.queue": "update"}
        assert (await applied(environment)).plan.exit_code == 0


async def test_an_identity_that_somebody_has_made_is_imported(opened: Open, person: Dataverse) -> None:
    body: dict[str, object] = {"name": "integration endpoint", "applicationid": APPLICATION, "tenantid": TENANT}
    made = person.create("managedidentities", {**body, "credentialsource": 2, "subjectscope": 0})
    async with with_bus(opened, BUS) as environment:
        now = await environment.read()
        assert "is not managed by this app" in {it.address: it.text for it in now.plan.problems}[IDENTITY]
        await environment.adopt(now, [it.address for it in adoptable(now)])
        (change,) = [it for it in (await environment.read()).plan.changes if it.kind == "managed-identity"]
        assert (change.id, change.differs) == (made, ["subjectscope"])
        assert (await applied(environment)).plan.exit_code == 0


async def test_destroy_deletes_the_identity_after_its_endpoint_unless_others_need_it(
    opened: Open, person: Dataverse
) -> None:
    """Dataverse takes an identity that is deleted from all its endpoints: one of others would sign in no more."""
    async with with_bus(opened, BUS) as environment:
        identity = (await applied(environment)).state.found[IDENTITY].id
        bound = {"managedidentityid@odata.bind": f"/managedidentities({identity})"}
        theirs = {"name": "theirs", "contract": 2, "namespaceaddress": "sb://x/", "path": "x", "authtype": 9, **bound}
        other = person.create("serviceendpoints", theirs)
        now = await environment.read()
        assert any("service endpoints of others sign in with it" in it for it in notes_of(now.plan, IDENTITY))
        await environment.destroy(now, lambda _change: None, with_columns=False)
        assert only(person, "managedidentities")["managedidentityid"] == identity
        assert person.call("DELETE", f"serviceendpoints({other})").status_code == 204
        await environment.destroy(await environment.read(), lambda _change: None, with_columns=False)
    assert person.get("managedidentities")["value"] == []


async def test_a_move_that_is_interrupted_at_any_call_is_finished_by_the_next_one(
    opened: Open, person: Dataverse
) -> None:
    """Not lost on the way: an endpoint has its key or its identity after every call."""
    async with with_bus(opened, KEYED) as environment:
        await applied(environment)
    async with with_bus(opened, BUS, wrap=Interrupted) as environment:
        while (await environment.read()).plan.exit_code:
            with pytest.raises(Outage):
                await applied(environment)
            there = only(person, "serviceendpoints")
            assert there["issaskeyset"] is (there["authtype"] == 2)


async def test_who_may_not_read_identities_can_plan_without_one(opened: Open, unprepared: StandIn) -> None:
    """As the app's own user, whose role is older than the table in it."""
    unprepared.control("POST", "faults", json={"match": "GET .*/managedidentities.*", "status": 403, "times": 3})
    async with with_bus(opened, KEYED) as environment:
        assert changes((await environment.read()).plan)["endpoint.queue"] == "create"
    async with with_bus(opened, BUS) as environment:
        with pytest.raises(Permanent, match="managedidentities"):
            await environment.read()


async def test_where_dataverse_does_not_say_the_subject_the_plan_says_who_does(
    opened: Open, person: Dataverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name that it gives a service endpoint is not documented, so it may refuse ours."""
    monkeypatch.setattr("integration.registration.reading_endpoints._COMPONENT", "Unknown")
    async with with_bus(opened, BUS) as environment:
        last = await applied(environment)
    endpoint = only(person, "serviceendpoints")["serviceendpointid"]
    (said,) = notes_of(last.plan, "endpoint.queue")
    assert said.endswith(f"ask pac managed-identity show-fic --component-type Unknown --component-id {endpoint}")
