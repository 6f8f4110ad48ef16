"""The rows that a new sandbox starts with; their ids are always the same."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.systems.dataverse import actions, declared_flows, specialised
from sandbox.systems.dataverse.access import ADMINISTRATOR
from sandbox.systems.dataverse.definitions import entity_row, table_id
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.external_messages import SWITCHES
from sandbox.systems.dataverse.merge import MERGE, TABLES
from sandbox.systems.dataverse.privileges import all_privileges
from sandbox.systems.dataverse.roles import Roles
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.values import now
from sandbox.systems.dataverse.virtual_definitions import PROVIDERS, SOURCES

MESSAGES = (
    "Create",
    "Update",
    "Delete",
    "CreateMultiple",
    "UpdateMultiple",
    MERGE,
    *actions.MESSAGES.values(),
    *SWITCHES,
    *specialised.MESSAGES,
)
_OF_TABLES = {
    MERGE: TABLES,
    **dict.fromkeys(actions.MESSAGES.values(), frozenset({actions.TABLE})),
    **dict.fromkeys(SWITCHES, frozenset[str]()),
}
"""Messages that only some tables have, or that tables get by being switched on."""
EURO, DOLLAR, POUND = (f"c0000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
ACCOUNTS = {
    "a0000000-0000-4000-8000-000000000001": ("Fabrikam GmbH", "info@fabrikam.example", "Köln", EURO),
    "a0000000-0000-4000-8000-000000000002": ("Contoso Ltd", "office@contoso.example", "London", POUND),
    "a0000000-0000-4000-8000-000000000003": ("Northwind Traders", "sales@northwind.example", "Seattle", DOLLAR),
}
CONTACTS = {
    "b0000000-0000-4000-8000-000000000001": ("Ada", "Fischer", "ada@fabrikam.example"),
    "b0000000-0000-4000-8000-000000000002": ("Zoë", "Müller", "zoe@example.com"),
}
OPPORTUNITIES = {
    "f0000000-0000-4000-8000-000000000001": ("50 bikes", "12500.0000", "account", 1, EURO),
    "f0000000-0000-4000-8000-000000000002": ("Bridge refit", "300000.0000", "account", 2, POUND),
    "f0000000-0000-4000-8000-000000000003": ("New plant", "1500000.0000", "account", 3, DOLLAR),
    "f0000000-0000-4000-8000-000000000004": ("Cargo bike", "4200.0000", "contact", 2, EURO),
}
PUBLISHER = "50000000-0000-4000-8000-000000000001"
SOLUTIONS = {
    "fd140aaf-4df4-11dd-bd17-0019b9312238": ("Default", "Default Solution"),
    "51000000-0000-4000-8000-000000000001": ("integration", "Integration"),
}
ODATA_PROVIDER = "4cae5b17-0f0e-4a46-9c1d-2f1c7f3c9b61"
"""The id of the OData v4 data provider here; clients find it by the name of its table of data sources."""
_CURRENCIES = {
    EURO: ("Euro", "EUR", "€", "1.0000000000"),
    DOLLAR: ("US Dollar", "USD", "$", "1.1000000000"),
    POUND: ("Pound Sterling", "GBP", "£", "0.8500000000"),
}


_WITH_ROWS = {
    "account": next(iter(ACCOUNTS)),
    "contact": next(iter(CONTACTS)),
    "opportunity": next(iter(OPPORTUNITIES)),
}
"""Tables whose rows are written out here, and the first row of each."""
_NAMESPACE = uuid.UUID("4d7e4d06-6f0e-4a57-8e53-3f6b0c0a1c6e")


class Seed:
    """Writes the first rows directly: they fire no steps."""

    def __init__(
        self, store: Store, schema: Schema, environment: Environment, roles: Roles, *, application: bool
    ) -> None:
        self._store, self._schema, self._environment = store, schema, environment
        self._roles, self._application = roles, application
        self._owner = {"table": "systemuser", "id": environment.human.user_id}

    def plant(self) -> None:
        """Write the rows that were not written before, also those of a table that a new flow has added."""
        with self._store.transaction():
            if not self._store.setting("solutions seeded"):
                self._plant_solutions()
                self._store.set_setting("solutions seeded", now())
            if not self._store.setting("seeded"):
                self._plant_organisation()
                self._plant_business()
                self._store.set_setting("seeded", now())
            if self._store.get(PROVIDERS, ODATA_PROVIDER) is None:
                self._put(PROVIDERS, ODATA_PROVIDER, name="OData v4 Data Provider", datasourcelogicalname=SOURCES)
            self._plant_roles()
            self._plant_messages()
            for table in self._schema:
                self._store.put("entity", table_id(table), entity_row(table))
            for flow in declared_flows.flows():
                self._plant_samples(flow.table, flow.attributes)

    def _plant_solutions(self) -> None:
        self._put(
            "publisher",
            PUBLISHER,
            uniquename="sandboxpublisher",
            friendlyname="Publisher of the sandbox",
            customizationprefix="new",
            customizationoptionvalueprefix=10_000,
        )
        publisher = {"table": "publisher", "id": PUBLISHER}
        for row_id, (name, text) in SOLUTIONS.items():
            self._put("solution", row_id, uniquename=name, friendlyname=text, version="1.0.0.0", publisherid=publisher)

    def _plant_organisation(self) -> None:
        environment = self._environment
        self._put("businessunit", environment.business_unit_id, name="sandbox")
        for row_id, (name, code, symbol, rate) in _CURRENCIES.items():
            self._put(
                "transactioncurrency",
                row_id,
                currencyname=name,
                isocurrencycode=code,
                currencysymbol=symbol,
                currencyprecision=2,
                exchangerate=rate,
            )
        base = {"table": "transactioncurrency", "id": EURO}
        self._put(
            "organization",
            environment.organisation_id,
            name=environment.organisation_name,
            basecurrencyid=base,
            expirechangetrackingindays=7,
        )
        unit = {"table": "businessunit", "id": environment.business_unit_id}
        people = [(environment.human, "Jamie Bowman", 0)]
        if self._application:
            people.append((environment.application, "# Integration", 4))
        for client, name, access in people:
            first, _, last = name.partition(" ")
            self._put(
                "systemuser",
                client.user_id,
                firstname=first,
                lastname=last,
                fullname=name,
                applicationid=client.client_id if access else None,
                azureactivedirectoryobjectid=client.object_id,
                accessmode=access,
                isdisabled=False,
                businessunitid=unit,
            )

    def _plant_roles(self) -> None:
        """Privileges of tables that are new; once, the role that may do everything, for whoever is there then."""
        known = {row.id for row in self._store.rows("privilege")}
        for privilege in all_privileges(self._schema):
            if privilege.id not in known:
                self._store.put("privilege", privilege.id, privilege.row())
        if self._store.get("role", ADMINISTRATOR) is not None:
            return
        unit = {"table": "businessunit", "id": self._environment.business_unit_id}
        self._put("role", ADMINISTRATOR, name="System Administrator", businessunitid=unit, ismanaged=True)
        for user in self._store.rows("systemuser"):
            self._roles.assign(user.id, ADMINISTRATOR)

    def _plant_messages(self) -> None:
        known = {
            (row.values["primaryobjecttypecode"], row.values["sdkmessageid"]["id"])
            for row in self._store.rows("sdkmessagefilter")
        }
        for number, message in enumerate(MESSAGES, start=1):
            message_id = f"d0000000-0000-4000-8000-{number:012x}"
            if self._store.get("sdkmessage", message_id) is None:
                self._put("sdkmessage", message_id, name=message)
            for table in self._schema:
                if table.name not in _OF_TABLES.get(message, {table.name}) or not _has(table, message):
                    continue
                if table.has_events and not table.is_virtual and (table.name, message_id) not in known:
                    self._put(
                        "sdkmessagefilter",
                        _id(f"{message} of {table.name}"),
                        primaryobjecttypecode=table.name,
                        secondaryobjecttypecode="none",
                        iscustomprocessingstepallowed=True,
                        sdkmessageid={"table": "sdkmessage", "id": message_id},
                    )

    def _plant_samples(self, table_name: str, attributes: Iterable[Mapping[str, Any]]) -> None:
        """Rows of a table for which there are none above, with a value in each column that its flow reads."""
        if table_name in _WITH_ROWS or self._store.setting(f"seeded {table_name}"):
            return
        table = self._schema[table_name]
        for number in (1, 2):
            values = {it["LogicalName"]: self._sample(table.columns[it["LogicalName"]], number) for it in attributes}
            if "transactioncurrencyid" in table.columns:
                values["transactioncurrencyid"] = {"table": "transactioncurrency", "id": EURO}
                values["exchangerate"] = _CURRENCIES[EURO][3]
            self._put(table_name, _id(f"{table_name} {number}"), **values)
        self._store.set_setting(f"seeded {table_name}", now())

    def _sample(self, column: Column, number: int) -> Any:
        if column.type in {"State", "Status"}:
            return None
        if column.is_lookup:
            target = next((it for it in column.navigation if it in _WITH_ROWS), None)
            return {"table": target, "id": _WITH_ROWS[target]} if target else None
        if column.options:
            return next(iter(column.options))
        samples: dict[str, Any] = {
            "Integer": number,
            "Decimal": f"{number}.5",
            "Money": f"{number}000.0000",
            "Boolean": True,
            "DateTime": "2026-11-20" if column.date_only else "2026-11-20T09:00:00Z",
        }
        return samples.get(column.type, f"{column.name} {number}")

    def _plant_business(self) -> None:
        for row_id, (name, email, city, currency) in ACCOUNTS.items():
            money = {"table": "transactioncurrency", "id": currency}
            self._put(
                "account", row_id, name=name, emailaddress1=email, address1_city=city, transactioncurrencyid=money
            )
        employer = {"table": "account", "id": next(iter(ACCOUNTS))}
        for row_id, (first, last, email) in CONTACTS.items():
            full, works_at = f"{first} {last}", employer if row_id.endswith("1") else None
            self._put(
                "contact",
                row_id,
                firstname=first,
                lastname=last,
                fullname=full,
                emailaddress1=email,
                parentcustomerid=works_at,
            )
        for row_id, (name, value, kind, number, currency) in OPPORTUNITIES.items():
            customer = list(ACCOUNTS if kind == "account" else CONTACTS)[number - 1]
            rate = _CURRENCIES[currency][3]
            self._put(
                "opportunity",
                row_id,
                name=name,
                estimatedvalue=value,
                customerid={"table": kind, "id": customer},
                transactioncurrencyid={"table": "transactioncurrency", "id": currency},
                exchangerate=rate,
                opportunityratingcode=2,
                prioritycode=1,
            )

    def _put(self, table_name: str, row_id: str, **columns: Any) -> None:
        table, time = self._schema[table_name], now()
        system: dict[str, Any] = {table.id_column: row_id, "createdon": time, "modifiedon": time}
        system |= {"createdby": self._owner, "modifiedby": self._owner}
        if table.user_owned:
            unit = {"table": "businessunit", "id": self._environment.business_unit_id}
            system |= {"ownerid": self._owner, "owninguser": self._owner, "owningbusinessunit": unit}
        if "statecode" in table.columns:
            system |= {"statecode": 0, "statuscode": next(iter(table.columns["statuscode"].states))}
        given = {name: value for name, value in columns.items() if value is not None}
        self._store.put(table_name, row_id, system | given)


def _id(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def _has(table: Table, message: str) -> bool:
    """Whether a table can have a message by its columns: rows without an owner are not assigned."""
    if message == specialised.ASSIGN:
        return table.user_owned
    return message not in specialised.SET_STATE or "statecode" in table.columns
