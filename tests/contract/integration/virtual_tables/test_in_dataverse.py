"""What Dataverse makes of a query, asked of the service, gives the rows that an oracle finds in memory.

The Dataverse stand-in has the tables that `run.py dataverse` registers, and its provider's client asks.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.registration.served_metadata import parsed
from tests.contract.integration.registration.conftest import opener
from tests.contract.integration.registration.declared import KEY
from tests.contract.integration.registration.plans import applied
from tests.contract.integration.virtual_tables.over_http import over_http
from tests.contract.integration.virtual_tables.provider import Provider
from tests.contract.integration.virtual_tables.test_queries import ORDERS, TREES, Asked, expected
from tests.contract.sandbox.systems.dataverse_client import Dataverse, sign_in
from tests.contract.sandbox.systems.stand_in import StandIn, Start

SET, CRM = "new_erpcustomers", "Microsoft.Dynamics.CRM."
_COLUMN = re.compile(r"\b(number|name|city|creditlimit|blocked)\b(?=(?:[^']|'[^']*')*$)")
_LIST = re.compile(r"new_(\w+) in \(((?:[^()']|'(?:[^']|'')*')*)\)")


@pytest.fixture(scope="module")
def system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    state = tmp_path_factory.mktemp("virtual")
    return start("dataverse", "--state", state, "--unprepared", scheme="https", verify=state / "ca.pem")


@contextmanager
def shown_in_dataverse(system: StandIn, provider: Provider) -> Iterator[Dataverse]:
    """The tables of a provider, registered as somebody registers them; they go at the end."""
    served = parsed(provider.ask("$metadata").body)

    async def register(url: str, *, remove: bool) -> None:
        secrets = {"env:KEY": KEY, "env:ODATA_KEY": "not looked at"}
        more = {"virtual_tables_url": url, "virtual_tables_key": "env:ODATA_KEY", "secrets": secrets}
        async with opener(system)((), served=served, **more) as environment:
            now = await applied(environment)
            assert now.plan.exit_code == 0
            if remove:
                await environment.destroy(now, lambda _change: None, with_columns=True)

    person = sign_in(system, "human")
    organisation = person.get("organizations?$select=name")["value"][0]["organizationid"]
    person.update(f"organizations({organisation})", {"plugintracelogsetting": 1})
    with over_http(provider) as url:
        asyncio.run(register(url, remove=False))
        try:
            yield person
        finally:
            asyncio.run(register(url, remove=True))


def in_dataverse(test: Asked) -> str:
    """The filter as a client of the Web API writes it: with the names of columns there, and without `in`."""
    text = _COLUMN.sub(r"new_\1", test.text).replace(" 1e3", " 1000")

    def listed(found: re.Match[str]) -> str:
        values = re.findall(r"'((?:[^']|'')*)'", found[2])
        names = ",".join("'" + it + "'" for it in values)
        return f"{CRM}In(PropertyName='new_{found[1]}',PropertyValues=[{names}])"

    return _LIST.sub(listed, text)


def test_rows_in_dataverse_are_those_of_the_oracle(system: StandIn, provider: Provider) -> None:
    with shown_in_dataverse(system, provider) as person:

        @given(
            test=st.one_of(st.none(), TREES),
            order=ORDERS,
            page=st.sampled_from((7, 25)),
        )
        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        def ask(test: Asked | None, order: list[tuple[str, bool]], page: int) -> None:
            options = ["$select=new_number", "$count=true"]
            options += [] if test is None else [f"$filter={quote(in_dataverse(test))}"]
            if order:
                columns = ",".join(f"new_{name} {'desc' if down else 'asc'}" for name, down in order)
                options.append(f"$orderby={quote(columns)}")
            found, url = [], f"{SET}?{'&'.join(options)}"
            while url:
                answer = person.get(url, Prefer=f"odata.maxpagesize={page}")
                found += [row["new_number"] for row in answer["value"]]
                url = answer.get("@odata.nextLink", "").partition("/v9.2/")[2]
            assert (found, answer["@odata.count"]) == expected(provider.customers, test, order, 0, 1_000)

        ask()


def test_a_person_changes_a_row_in_dataverse_and_the_erp_has_it(system: StandIn, written_provider: Provider) -> None:
    with shown_in_dataverse(system, written_provider) as person:
        made = person.create(SET, {"new_name": "Made in Dataverse"})
        path = f"{SET}({made})"
        person.update(path, {"new_phone": "+43 1 234", "new_creditlimit": 12.5})
        (row,) = written_provider.rows("erpcustomers", {"$filter": "name eq 'Made in Dataverse'"})
        assert (row["phone"], row["creditlimit"]) == ("+43 1 234", 12.5)
        assert person.get(path)["new_phone"] == "+43 1 234"
        assert person.call("DELETE", path).status_code == 400
        assert person.call("PATCH", path, {"new_number": "X"}, If_Match="*").status_code == 400
        refused = " ".join(it["exceptiondetails"] for it in person.get("plugintracelogs")["value"])
        assert "Rows of erpcustomers cannot be deleted" in refused
        assert "number cannot be written" in refused
