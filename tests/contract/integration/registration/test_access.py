"""The app's user has the privileges that its flows need, and no others; they are enough for its calls."""

import pytest

from integration.errors import ConfigurationError
from integration.flow import Columns, Flow, InboundFlow, expanded, money, text, text_result
from integration.registration.declaration import Role
from tests.contract.integration.registration.conftest import Open
from tests.contract.sandbox.systems.dataverse_client import Dataverse, sign_in
from tests.contract.sandbox.systems.stand_in import StandIn


class Contact(Columns):
    email = text("emailaddress1")


class Account(Columns):
    name = text("name")
    revenue = money("creditlimit")
    contact = expanded("primarycontactid", Contact)


NUMBER = text_result("number", "Number", max_length=50, holds="the number", key=True)
OUT = Flow(Account, table="account", entity_set="accounts", results=(NUMBER,))
LEADS = InboundFlow(
    "erp", "prospect", events=("prospect",), tables={"lead": "leads"}, key="number", results=(NUMBER,), creates=True
)


async def apply(opened: Open, **given: object) -> list[str]:
    """The privileges of the role afterwards."""
    async with opened([OUT, LEADS], **given) as environment:
        await environment.apply(await environment.read(), lambda _change: None)
        last = await environment.read()
    assert last.plan.exit_code == 0, last.plan
    privileges: list[str] = last.state.found["role.Integration"].fields["privileges"]
    return privileges


async def test_the_role_has_what_the_flows_need_and_what_the_platform_added_is_taken_away(opened: Open) -> None:
    """Also to read the rows behind a lookup and currencies; to create only where a flow creates."""
    assert await apply(opened) == [
        "prvCreateLead (Global)",
        "prvReadAccount (Global)",
        "prvReadContact (Global)",
        "prvReadLead (Global)",
        "prvReadTransactionCurrency (Global)",
        "prvWriteAccount (Global)",
        "prvWriteLead (Global)",
    ]


async def test_a_smaller_depth_is_taken_where_the_table_has_one(opened: Open) -> None:
    """Currencies belong to nobody, so there is no smaller depth for them."""
    found = await apply(opened, declared={"role": Role(depth="business-unit")})
    assert "prvReadAccount (Local)" in found
    assert "prvReadTransactionCurrency (Global)" in found


async def test_the_user_may_make_the_calls_of_its_flows_and_no_others(
    opened: Open, unprepared: StandIn, person: Dataverse
) -> None:
    app = sign_in(unprepared, "application")
    stranger = app.call("GET", "WhoAmI")
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (403, "0x80072560")
    await apply(opened)
    account = person.create("accounts", {"name": "New", "creditlimit": 1})
    asked = "name,creditlimit,_transactioncurrencyid_value&$expand=primarycontactid($select=emailaddress1)"
    row = app.get(f"accounts({account})?$select={asked}")
    app.get(f"transactioncurrencies({row['_transactioncurrencyid_value']})?$select=isocurrencycode")
    app.update(f"accounts({account})", {"new_number": "1"})
    app.call("DELETE", f"leads({app.create('leads', {'subject': 'x', 'lastname': 'x'})})")
    for method, path in (
        ("DELETE", f"accounts({account})"),
        ("GET", "opportunities"),
        ("PATCH", f"contacts({account})"),
        ("GET", f"accounts({account})?$expand=ownerid"),
    ):
        refused = app.call(method, path, {} if method == "PATCH" else None)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "0x80040220"), path
    person.call("DELETE", f"accounts({account})")


async def test_the_app_may_see_what_is_registered_where_the_environment_says_so(
    opened: Open, unprepared: StandIn
) -> None:
    """Nothing else is added: it reads steps and definitions, and changes none."""
    found = await apply(opened, app_sees_registration=True)
    assert {it.partition("prvRead")[0] for it in found if "Account" not in it and "Lead" not in it} == {""}
    app = sign_in(unprepared, "application")
    for path in ("sdkmessageprocessingsteps", "roles", "EntityDefinitions(LogicalName='account')", "customapis"):
        app.get(path)
    (step,) = app.get("sdkmessageprocessingsteps?$top=1")["value"]
    changed = app.call("PATCH", f"sdkmessageprocessingsteps({step['sdkmessageprocessingstepid']})", {"rank": 2})
    assert changed.status_code == 403


async def test_who_may_not_make_users_is_told_what_a_person_has_to_do(
    opened: Open, unprepared: StandIn, person: Dataverse
) -> None:
    """The next apply gives the role to the user that the person has made, and does the rest."""
    unprepared.fault("POST .*systemusers", status=403, times=1)
    with pytest.raises(ConfigurationError, match="Application users, New app user"):
        await apply(opened)
    client = person.environment["application"]["client_id"]
    unit = person.get("businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    person.create("systemusers", {"applicationid": client, "businessunitid@odata.bind": f"/businessunits({unit})"})
    await apply(opened)


async def test_a_role_that_is_more_powerful_is_noted(opened: Open, person: Dataverse) -> None:
    await apply(opened)
    user = person.get("systemusers?$filter=applicationid ne null&$select=systemuserid")["value"][0]["systemuserid"]
    everything = person.get("roles?$filter=name eq 'System Administrator'&$select=roleid")["value"][0]["roleid"]
    reference = {"@odata.id": f"{person.root}roles({everything})"}
    assert person.call("POST", f"systemusers({user})/systemuserroles_association/$ref", reference).status_code == 204
    async with opened([OUT, LEADS]) as environment:
        plan = (await environment.read()).plan
    assert plan.exit_code == 0
    assert [it.text for it in plan.notes if it.address.startswith("user.")] == [
        "also has the role System Administrator: it may do more than the flows need"
    ]


async def test_without_an_application_roles_and_users_are_left_alone(opened: Open, person: Dataverse) -> None:
    async with opened([OUT], application=None) as environment:
        await environment.apply(await environment.read(), lambda _change: None)
        assert (await environment.read()).plan.exit_code == 0
    assert person.get("roles?$filter=name eq 'Integration'")["value"] == []
