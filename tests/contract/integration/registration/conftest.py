"""An environment that nobody has prepared, as `run.py dataverse` reaches it; it is emptied before each test."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest

from integration.clock import SystemClock
from integration.flow.discovery import AnyFlow
from integration.registration.declaration import Declaration, Endpoint, Named, Values
from integration.registration.environment import Environment
from integration.registration.served_metadata import ServedType
from integration.registration.web_api import WebApi
from integration.synchronous import Check
from integration.transport import Host, RetryPolicy, Sender, Transport
from integration.virtual_tables import sets
from integration.virtual_tables.discovery import sets_in
from tests.contract.integration.registration.declared import FLOWS, KEY
from tests.contract.integration.sign_in import tokens_of
from tests.contract.sandbox.systems.conftest import receiver as receiver  # noqa: PLC0414 -- a fixture, offered here too
from tests.contract.sandbox.systems.dataverse_client import Dataverse, remove_registrations, sign_in
from tests.contract.sandbox.systems.stand_in import StandIn, Start


async def _again(served: Mapping[str, ServedType]) -> Mapping[str, ServedType]:
    return served


WEBHOOK, SECRETS = Endpoint(), {"env:KEY": KEY}
Open: TypeAlias = Callable[..., AbstractAsyncContextManager[Environment]]


@pytest.fixture(scope="session")
def unprepared(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Dataverse without the app's columns, one for all tests of the session."""
    state = tmp_path_factory.mktemp("unprepared")
    return start("dataverse", "--state", state, "--unprepared", scheme="https", verify=state / "ca.pem")


@pytest.fixture
def person(unprepared: StandIn) -> Dataverse:
    """Somebody who customises the same environment by hand. Nothing of an earlier test is there."""
    unprepared.control("DELETE", "faults")
    person = sign_in(unprepared, "human")
    remove_registrations(person)
    for it in person.get("EntityDefinitions?$select=LogicalName&$filter=DataProviderId ne null")["value"]:
        assert person.call("DELETE", f"EntityDefinitions(LogicalName='{it['LogicalName']}')").status_code == 204
    for entity_set, own, where in (
        ("msdyn_odatav4ds", "msdyn_odatav4dsid", "msdyn_name ne null"),
        ("catalogassignments", "catalogassignmentid", "name ne null"),
        ("catalogs", "catalogid", "_parentcatalogid_value ne null"),
        ("catalogs", "catalogid", "name ne null"),
        ("customapis", "customapiid", "name ne null"),
        ("roles", "roleid", "name ne 'System Administrator'"),
        ("systemusers", "systemuserid", "applicationid ne null"),
    ):
        for it in person.get(f"{entity_set}?$filter={where}")["value"]:
            assert person.call("DELETE", f"{entity_set}({it[own]})").status_code == 204
    for table in ("account", "lead"):
        definition = f"EntityDefinitions(LogicalName='{table}')"
        for part in ("Keys", "Attributes"):
            for it in person.get(f"{definition}/{part}")["value"]:
                if it["LogicalName"].startswith("new_"):
                    path = f"{definition}/{part}(LogicalName='{it['LogicalName']}')"
                    assert person.call("DELETE", path).status_code == 204
    for entity_set, own in (("solutions", "solutionid"), ("publishers", "publisherid")):
        for it in person.get(f"{entity_set}?$filter=uniquename eq 'registered'")["value"]:
            person.call("DELETE", f"{entity_set}({it[own]})")
    return person


@pytest.fixture
def opened(unprepared: StandIn, person: Dataverse) -> Open:
    """Opens the environment as the command does; `wrap` may stand between it and the transport."""
    return opener(unprepared)


def opener(system: StandIn) -> Open:
    """The same for any stand-in."""

    @asynccontextmanager
    async def open_(
        flows: Collection[AnyFlow] = FLOWS,
        *,
        wrap: Callable[[Transport], Sender] = lambda it: it,
        solution: str = "integration",
        endpoint: Endpoint = WEBHOOK,
        secrets: Mapping[str, str] = SECRETS,
        declared: Mapping[str, Any] = MappingProxyType({}),
        known: Mapping[str, Check] = MappingProxyType({}),
        who: str = "human",
        served: Mapping[str, ServedType] | None = None,
        **given: Any,
    ) -> AsyncIterator[Environment]:
        ca_file = str(system.http.verify)
        transport = Transport([Host(system.url, ca_file=ca_file)], clock=SystemClock())
        tokens = tokens_of(system, transport, who)
        named = Named(unique_name=solution, display_name="Registered")
        declaration = Declaration(publisher=named, solution=named, endpoint=endpoint, **declared)
        application = system.control("GET", "environment").json()["application"]["client_id"]
        more = {
            "webhook_url": "http://localhost:7071/api/dataverse/webhook",
            "application": application,
            **given,
        }
        values = Values(url=system.url, webhook_key="env:KEY", **more)
        api = WebApi(wrap(transport), tokens, system.url, retries=RetryPolicy(max_attempts=1))
        try:
            yield Environment(
                api,
                flows,
                declaration,
                values,
                today=lambda: date(2026, 11, 27),
                checks=known,
                find_secret=secrets.__getitem__,
                sets=list(sets_in(sets).values()),
                served=None if served is None else partial(_again, served),
            )
        finally:
            await transport.aclose()

    return open_
