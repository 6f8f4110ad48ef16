"""Virtual tables: planned for what the app says it serves, made, found different, repaired, interrupted, removed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration.clock import SystemClock
from integration.dataverse.external import UPDATED
from integration.errors import ConfigurationError, Outage
from integration.events import read_remote_execution_context
from integration.flow import EventFlow, External
from integration.registration.environment import Environment, adoptable, deletable
from integration.registration.served_metadata import ServedMetadata, ServedProperty, ServedType, parsed
from integration.transport import Host, Transport
from integration.virtual_tables import sets
from integration.virtual_tables.csdl import metadata
from integration.virtual_tables.discovery import sets_in
from tests.contract.integration.registration.conftest import Open
from tests.contract.integration.registration.declared import KEY
from tests.contract.integration.registration.interrupted import Interrupted
from tests.contract.integration.registration.plans import applied, changes
from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver
from tests.contract.sandbox.systems.virtual_table import Service, column, data_source, virtual_table

SOURCE_KEY = "a-key-of-the-data-source"
GIVEN: dict[str, Any] = {
    "virtual_tables_url": "https://app.example/api/odata",
    "virtual_tables_key": "env:ODATA_KEY",
    "secrets": {"env:KEY": KEY, "env:ODATA_KEY": SOURCE_KEY},
    "flows": (),
    "solution": "registered",
}
PERHAPS_NULL = ServedProperty("Edm.String", required=False, length=100, scale=None)
TABLE = "EntityDefinitions(LogicalName='new_erpcustomer')"


def served(kind: str = "business-central") -> dict[str, ServedType]:
    """What an app with an ERP of that kind says."""
    return parsed(metadata([it for each in sets_in(sets).values() if (it := each.of(kind)) is not None]))


async def made(environment: Environment) -> dict[str, str]:
    await applied(environment)
    return changes((await environment.read()).plan)


async def test_an_environment_gets_what_the_app_serves_and_a_second_plan_is_empty(
    opened: Open, person: Dataverse
) -> None:
    async with opened(served=served(), **GIVEN) as environment:
        first = await environment.read()
        kinds = {it.kind for it in first.plan.changes}
        assert {"data-source", "virtual-table", "virtual-column", "virtual-events"} <= kinds
        assert SOURCE_KEY not in json.dumps(first.plan.document())
        last = await applied(environment)
        assert (last.plan.exit_code, last.plan.changes) == (0, ())
    source = person.get("msdyn_odatav4ds")["value"][0]
    assert (source["msdyn_uri"], source["msdyn_parameter1name"], source["msdyn_parameter1value"]) == (
        "https://app.example/api/odata", "x-functions-key", SOURCE_KEY,
    )  # fmt: skip
    assert SOURCE_KEY not in source["msdyn_description"]
    table = person.get(f"{TABLE}?$expand=Attributes")
    assert table["ExternalCollectionName"] == "erpcustomers"
    columns = {it["LogicalName"]: it for it in table["Attributes"]}
    assert columns["new_erpcustomerid"]["ExternalName"] == "erpcustomerid"
    assert columns["new_balance"]["ExternalName"] == "balance"
    assert columns["new_number"]["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert columns["new_email"]["RequiredLevel"]["Value"] == "None"
    assert columns["new_name"]["MaxLength"] == 100
    day = person.get("EntityDefinitions(LogicalName='new_erporder')/Attributes(LogicalName='new_orderdate')")
    assert (day["Format"], day["DateTimeBehavior"]["Value"]) == ("DateOnly", "TimeZoneIndependent")
    own = person.get("solutions?$filter=uniquename eq 'registered'")["value"][0]["solutionid"]
    components = person.get(f"solutioncomponents?$filter=_solutionid_value eq {own}")["value"]
    assert table["MetadataId"] in {it["objectid"] for it in components}
    filters = person.get("sdkmessagefilters?$filter=primaryobjecttypecode eq 'new_erpcustomer'")["value"]
    assert len(filters) == 3


async def test_an_erp_without_a_set_or_a_field_has_no_table_or_column_for_it(opened: Open, person: Dataverse) -> None:
    """The REST contract has no products, and no credit limit."""
    async with opened(served=served("rest-erp"), **GIVEN) as environment:
        last = await applied(environment)
    addresses = set(last.state.found)
    assert {"virtual-table.new_erpcustomer", "virtual-table.new_erporder"} <= addresses
    assert "virtual-table.new_erpproduct" not in addresses
    assert "virtual-column.new_erpcustomer.new_creditlimit" not in addresses
    assert "virtual-column.new_erporder.new_customerid" not in addresses, "no GUID beside the key"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda it: replace(it, key="ErpCustomerId"), "its key is erpcustomerid, and the app calls it ErpCustomerId"),
        (lambda it: _renamed(it, "name", "Name"), "the app calls the column name Name: names are case-sensitive"),
        (lambda it: _renamed(it, "name", "other"), "the app has a column other, which is not declared"),
        (
            lambda it: replace(it, properties={**it.properties, "name": PERHAPS_NULL}),
            "the column name is Edm.String, never null, and the app says Edm.String, perhaps null",
        ),
    ],
)  # fmt: skip
async def test_names_and_nullability_are_checked_against_the_metadata_first(
    opened: Open, person: Dataverse, changed: Any, said: str
) -> None:
    there = served() | {"erpcustomers": changed(served()["erpcustomers"])}
    async with opened(served=there, **GIVEN) as environment:
        now = await environment.read()
        assert said in " ".join(it.text for it in now.plan.problems)
        with pytest.raises(ConfigurationError, match="nothing was changed"):
            await environment.apply(now, lambda _change: None)
    assert person.get("msdyn_odatav4ds")["value"] == []


def _renamed(it: ServedType, old: str, new: str) -> ServedType:
    return replace(it, properties={new if name == old else name: each for name, each in it.properties.items()})


async def test_a_set_in_other_case_is_named(opened: Open, person: Dataverse) -> None:
    there = served()
    there["ErpCustomers"] = there.pop("erpcustomers")
    async with opened(served=there, **GIVEN) as environment:
        problems = (await environment.read()).plan.problems
    assert "the app calls the set ErpCustomers" in problems[0].text


async def test_drift_is_found_and_repaired(opened: Open, person: Dataverse) -> None:
    async with opened(served=served(), **GIVEN) as environment:
        await applied(environment)
        source = person.get("msdyn_odatav4ds")["value"][0]["msdyn_odatav4dsid"]
        person.update(f"msdyn_odatav4ds({source})", {"msdyn_timeout": 5, "msdyn_parameter1value": "stolen"})
        for path, settings in (
            (f"{TABLE}/Attributes(LogicalName='new_balance')", {"ExternalName": "Balance"}),
            (f"{TABLE}/Attributes(LogicalName='new_erpcustomerid')", {"ExternalName": "id"}),
            (TABLE, {"ExternalCollectionName": "customers"}),
        ):
            whole = {name: it for name, it in person.get(path).items() if name != "@odata.context"}
            assert person.call("PUT", path, whole | settings).status_code == 204
        metadata_id = person.get("virtualentitymetadatas")["value"][0]["virtualentitymetadataid"]
        person.update(f"virtualentitymetadatas({metadata_id})", {"isonexternaldeletedenabled": False})
        found = (await environment.read()).plan.changes
        differs = {it.address: it.differs for it in found}
        assert differs["data-source.integration ERP"] == ["msdyn_timeout"]
        assert differs["virtual-column.new_erpcustomer.new_balance"] == ["external"]
        assert differs["virtual-table.new_erpcustomer"] == ["collection", "key"]
        assert len(differs) == 4
        assert await made(environment) == {}
        assert person.get("msdyn_odatav4ds")["value"][0]["msdyn_parameter1value"] == "stolen", "it is never read"
        # --rotate
        await environment.rotate(await environment.read())
    assert person.get("msdyn_odatav4ds")["value"][0]["msdyn_parameter1value"] == SOURCE_KEY


async def test_a_column_of_somebody_else_stays_and_one_that_is_no_longer_served_goes(
    opened: Open, person: Dataverse
) -> None:
    async with opened(served=served(), **GIVEN) as environment:
        await applied(environment)
    assert person.call("POST", f"{TABLE}/Attributes", column("String", "new_Theirs", "theirs")).status_code == 204
    less = served()
    properties = {name: it for name, it in less["erpcustomers"].properties.items() if name != "blocked"}
    less["erpcustomers"] = replace(less["erpcustomers"], properties=properties)
    async with opened(served=less, **GIVEN) as environment:
        now = await environment.read()
        assert changes(now.plan) == {"virtual-column.new_erpcustomer.new_blocked": "delete"}
        assert await environment.apply(now, lambda _change: None) == list(now.plan.changes)
        await applied(environment, allow_delete=True)
    columns = {it["LogicalName"] for it in person.get(f"{TABLE}/Attributes")["value"]}
    assert "new_theirs" in columns
    assert "new_blocked" not in columns


async def test_a_run_that_is_killed_at_any_call_is_finished_by_the_next(opened: Open, person: Dataverse) -> None:
    one = {"erpproducts": served()["erpproducts"]}

    senders: list[Interrupted] = []

    def wrap(transport: Transport) -> Interrupted:
        senders.append(Interrupted(transport))
        return senders[0]

    async with opened(served=one, wrap=wrap, **GIVEN) as environment:
        killed = 0
        while True:
            senders[0].left = 1
            try:
                await environment.apply(await environment.read(), lambda _change: None)
            except Outage:
                killed += 1
                continue
            break
        senders[0].left = 1_000
        now = await environment.read()
        assert (now.plan.exit_code, now.plan.changes) == (0, ())
    assert killed >= 4
    assert len(person.get("msdyn_odatav4ds")["value"]) == 1


async def test_what_somebody_has_made_by_hand_is_imported(opened: Open, person: Dataverse) -> None:
    source = data_source(person, "https://app.example/api/odata", msdyn_name="integration ERP")
    virtual_table(person, source, "new_ErpProduct", ExternalName="erpproduct", ExternalCollectionName="erpproducts")
    one = {"erpproducts": served()["erpproducts"]}
    async with opened(served=one, **GIVEN) as environment:
        now = await environment.read()
        assert {it.address for it in now.plan.problems} == {
            "data-source.integration ERP", "virtual-table.new_erpproduct", "virtual-column.new_erpproduct.new_price",
        }  # fmt: skip
        await environment.adopt(now, [it.address for it in adoptable(now)])
        now = await environment.read()
        assert [it.text for it in now.plan.problems] == [
            "has to change its primary column, which Dataverse does not: delete it, or declare another name"
        ]


async def test_a_table_that_is_no_virtual_one_is_in_the_way(opened: Open, person: Dataverse) -> None:
    name = {"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "new_Name"}
    body = {"SchemaName": "new_ErpProduct", "Attributes": [name | {"IsPrimaryName": True}]}
    assert person.call("POST", "EntityDefinitions", body).status_code == 204
    try:
        async with opened(served=served(), **GIVEN) as environment:
            problems = [it.text for it in (await environment.read()).plan.problems]
        assert "exists, and is no virtual table: declare another prefix, or rename it" in problems
    finally:
        person.call("DELETE", "EntityDefinitions(LogicalName='new_erpproduct')")


async def test_everything_is_deleted_with_the_tables_only_if_asked(opened: Open, person: Dataverse) -> None:
    async with opened(served=served(), **GIVEN) as environment:
        now = await applied(environment)
        assert {it.kind for it in deletable(now.state, with_columns=False)} == {"virtual-events", "endpoint"}
        await environment.destroy(now, lambda _change: None, with_columns=True)
    assert person.get("msdyn_odatav4ds")["value"] == []
    assert person.get("EntityDefinitions?$filter=DataProviderId ne null")["value"] == []


async def test_without_the_address_of_the_app_virtual_tables_are_left_alone(opened: Open, person: Dataverse) -> None:
    async with opened(served=served(), **GIVEN) as environment:
        await applied(environment)
    async with opened(flows=(), solution="registered") as environment:
        now = await environment.read()
        assert now.plan.changes == ()
    assert len(person.get("EntityDefinitions?$filter=DataProviderId ne null")["value"]) == 3


async def test_the_metadata_are_asked_of_the_app_with_the_key() -> None:
    service, text = Service(), metadata([it for each in sets_in(sets).values() if (it := each.of("rest-erp"))])
    service.answers += [(503, {}), (200, text.encode()), (401, {}), (200, b"<html/>"), (200, b"{")]
    transport = Transport([Host(service.url)], clock=SystemClock())
    try:
        app = ServedMetadata(transport, service.url, "x-functions-key", lambda: SOURCE_KEY)
        assert (await app.read()).keys() == {"erpcustomers", "erporders"}
        assert service.headers[0]["x-functions-key"] == SOURCE_KEY
        assert service.requests == ["GET /odata/$metadata"] * 2
        with pytest.raises(ConfigurationError, match="refuses the key"):
            await app.read()
        assert await app.read() == {}
        with pytest.raises(ConfigurationError, match="cannot be read"):
            await app.read()
    finally:
        await transport.aclose()
        service.close()


async def test_a_flow_of_a_virtual_table_gets_its_step_with_the_table(
    opened: Open, person: Dataverse, receiver: Receiver
) -> None:
    """All in one go: the message is there once the table is. A change that the ERP reports arrives with its row."""
    flow = EventFlow(External("new_erpcustomer", UPDATED, {"new_balance": "amount"}))
    given = {**GIVEN, "flows": (flow,), "webhook_url": receiver.url}
    async with opened(served=served(), **given) as environment:
        last = await applied(environment)
        assert (last.plan.exit_code, last.plan.changes) == (0, ())
        assert "custom-api.OnExternalUpdated" not in last.state.found
    key = "11111111-1111-4111-8111-111111111111"
    target = {"@odata.type": "Microsoft.Dynamics.CRM.new_erpcustomer", "new_erpcustomerid": key, "new_balance": 12.5}
    message = "new_erpcustomers/Microsoft.Dynamics.CRM.OnExternalUpdated"
    assert person.call("POST", message, {"Target": target}).status_code == 204
    person.quiet()
    [(_, headers, body)] = receiver.received
    named = {name.lower(): it for name, it in headers.items()}
    event = read_remote_execution_context(body, headers=named, accepted_time=datetime.now(UTC))
    assert (event.table, event.message, event.record_id) == ("new_erpcustomer", "OnExternalUpdated", key)
    assert event.values == {"new_erpcustomerid": key, "new_balance": Decimal("12.5")}
    async with opened(served={}, **{**given, "virtual_tables_url": None}) as environment:
        problems = [it.text for it in (await environment.read()).plan.problems]
    assert "nobody reports changes of new_erpcustomer" in " ".join(problems)
