"""The adapters that the one suite is run with, each with its stand-in and what that has in its books."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from integration.clock import SystemClock
from integration.protection import MemoryState, SharedState
from integration.systems import CustomerSystem, OrderSystem
from integration.systems.business_central import BusinessCentral as Adapter
from integration.systems.business_central import Options
from integration.systems.finance_operations import FinanceOperations as FinanceAdapter
from integration.systems.finance_operations import Options as FinanceOptions
from integration.systems.messages import MatchKey
from integration.systems.odata.adapter import ErpAdapter
from integration.systems.odata.keys import number_of, reference_of
from integration.systems.references import References
from integration.systems.rest import ErpClient
from integration.transport import ApiKey, Authorizer, Host, Limits, Sender, Transport, client_credentials
from tests.contract.sandbox.systems.stand_in import StandIn

PATIENT, IMPATIENT = Limits(connect=2.0, read=5.0, total=5.0), Limits(connect=2.0, read=0.3, total=0.3)
COMPANY = "5d3d7d7a-3f3c-4f0f-9a52-0e5a3f5a0001"


class MovedClock(SystemClock):
    """The machine's clock, which a test moves forward."""

    def __init__(self) -> None:
        self._moved = timedelta()

    def now(self) -> datetime:
        return super().now() + self._moved

    def monotonic(self) -> float:
        return super().monotonic() + self._moved.total_seconds()

    def move(self, seconds: float) -> None:
        self._moved += timedelta(seconds=seconds)


class Subject(ABC):
    """One adapter over one stand-in, which it finds at `url`; `through` may stand between adapter and transport."""

    name: str
    path: str
    """What all paths of its interface begin with."""
    methods: tuple[str, ...]
    """What it is asked with."""
    unknown_value = "erp-rejected"
    """The reason of a refusal because of a value that the system does not know."""

    def __init__(self, system: StandIn) -> None:
        self.system = system
        self.url = system.url
        self.match_by: tuple[MatchKey, ...] = ()
        self.clock = MovedClock()
        self.store: SharedState = MemoryState()
        self.transport = Transport([Host(self.url, limits=PATIENT)], clock=self.clock)

    async def set_limits(self, limits: Limits) -> None:
        """How long a call may take from now on."""
        await self.transport.aclose()
        self.transport = Transport([Host(self.url, limits=limits)], clock=self.clock)

    @abstractmethod
    def adapters(
        self,
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
    ) -> tuple[CustomerSystem, OrderSystem]:
        """The adapters, as a process that has just started has them."""

    @abstractmethod
    def customers_of(self, customer_id: str) -> list[str]:
        """The numbers of all customers that the system has for this account."""

    @abstractmethod
    def orders_of(self, order_id: str) -> list[str]:
        """The numbers of all orders that the system has for this opportunity, those without effect included."""

    @abstractmethod
    def enter(self, name: str, **known: str) -> str:
        """People enter a customer in the system, which Dataverse does not know; its number.

        `known` has `tax_number`, `email`, and `blocked`.
        """

    @abstractmethod
    def customer(self, number: str) -> dict[str, Any]:
        """A customer by its number, under the names `name`, `email`, `tax_number` and `blocked`."""

    def effects(self) -> list[dict[str, Any]]:
        """What was really done, oldest first."""
        done: list[dict[str, Any]] = self.system.control("GET", "ledger").json()["effects"]
        return done

    def there(self, kind: str, is_ours: Callable[[dict[str, Any]], bool]) -> list[str]:
        """The numbers of what was created and not deleted since."""
        there: dict[object, str] = {}
        for it in self.effects():
            if it["kind"] == f"{kind}-created" and is_ours(it["body"]):
                there[it["id"]] = str(it["number"])
            if it["kind"] == f"{kind}-deleted":
                there.pop(it["id"], None)
        return list(there.values())


class Rest(Subject):
    """An ERP that keeps the REST contract and honours the Idempotency-Key."""

    name = "rest"
    path = "/api/"
    methods = ("PUT", "PATCH")

    def adapters(
        self,
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
    ) -> tuple[CustomerSystem, OrderSystem]:
        client = ErpClient(through(self.transport), ApiKey("erp-sandbox-key"), self.url, match_by=self.match_by)
        return client, client

    def customers_of(self, customer_id: str) -> list[str]:
        return self._numbers(customer_id)

    def orders_of(self, order_id: str) -> list[str]:
        return self._numbers(order_id)

    def enter(self, name: str, **known: str) -> str:
        body = {"name": name, "taxNumber": known.get("tax_number"), "email": known.get("email")}
        body |= {"status": known.get("blocked", "active")}
        return str(self.system.control("POST", "customers", json=body).json()["customerNumber"])

    def customer(self, number: str) -> dict[str, Any]:
        body: dict[str, Any] = [it for it in self.effects() if it["number"] == number][-1]["body"]
        return {"tax_number": body.get("taxNumber"), "blocked": body["status"], **body}

    def _numbers(self, row_id: str) -> list[str]:
        return [str(it["number"]) for it in self.effects() if it["id"] == row_id and "created" in str(it["kind"])]


class Keyless(Subject):
    """A system of Microsoft's that speaks OData, signs in with Entra, and honours no key."""

    methods = ("POST", "PATCH", "GET")
    unknown_value = "erp-value-unknown"
    new_order: str
    """The address that is asked for a new order, as a regular expression."""
    removal: str
    """What people do to an order so that it is there no longer, as the stand-in names it."""

    def adapters(
        self,
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
    ) -> tuple[CustomerSystem, OrderSystem]:
        adapter = self.adapter(self.tokens(), through=through, store=store)
        return adapter, adapter

    @property
    @abstractmethod
    def scope(self) -> str:
        """What a token is asked for."""

    def tokens(self, authorizer: Authorizer | None = None) -> Authorizer:
        """Of the stand-in's one application; `authorizer` is for what stands in front of it."""
        return client_credentials(
            self.transport,
            service="erp",
            token_url=f"{self.url}/tenant/oauth2/v2.0/token",
            client_id=f"{self.name}-sandbox-client",
            client_secret=f"{self.name}-sandbox-secret",
            scope=self.scope,
            authorizer=authorizer,
            clock=self.clock,
        )

    @abstractmethod
    def adapter(
        self,
        authorizer: Authorizer,
        *,
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
    ) -> ErpAdapter:
        """The adapter as a whole."""


class BusinessCentral(Keyless):
    """Business Central."""

    name = "business-central"
    path = "/v2.0/"
    new_order = "/salesOrders$"
    removal = "delete"
    scope = "https://api.businesscentral.dynamics.com/.default"

    options = Options(local_currency="EUR", line_number="8400")

    def adapter(
        self,
        authorizer: Authorizer,
        *,
        company: str = COMPANY,
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
    ) -> Adapter:
        """The adapter of one company."""
        return Adapter.over(
            through(self.transport),
            authorizer,
            "erp",
            base_url=f"{self.url}/v2.0/sandbox/api/v2.0",
            company=company,
            references=References(store(self.store), "erp"),
            options=replace(self.options, match_by=self.match_by),
            clock=self.clock,
        )

    def customers_of(self, customer_id: str) -> list[str]:
        number = number_of(customer_id, self.options.number_prefix)
        return self.there("customer", lambda body: body.get("number") == number)

    def orders_of(self, order_id: str) -> list[str]:
        reference = reference_of(order_id)
        return self.there("order", lambda body: body.get("externalDocumentNumber") == reference)

    def enter(self, name: str, **known: str) -> str:
        body = {
            "displayName": name,
            "taxRegistrationNumber": known.get("tax_number", ""),
            "email": known.get("email", ""),
        }
        body |= {"blocked": known["blocked"]} if "blocked" in known else {}
        return str(self.system.control("POST", "customers", json=body).json()["customerNumber"])

    def customer(self, number: str) -> dict[str, Any]:
        body: dict[str, Any] = [it for it in self.effects() if it["number"] == number][-1]["body"]
        return {"name": body["displayName"], "tax_number": body["taxRegistrationNumber"], **body}


class FinanceOperations(Keyless):
    """Finance & Operations; its number sequence numbers orders."""

    name = "finance-operations"
    path = "/data/"
    new_order = "SalesOrderHeadersV2"
    removal = "purge"

    options = FinanceOptions(customer_group="10", local_currency="EUR", item_number="S0001")

    @property
    def scope(self) -> str:
        return f"{self.system.url}/.default"

    def adapter(
        self,
        authorizer: Authorizer,
        *,
        company: str = "usmf",
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
    ) -> FinanceAdapter:
        """The adapter of one legal entity."""
        return FinanceAdapter.over(
            through(self.transport),
            authorizer,
            "erp",
            base_url=self.url,
            company=company,
            references=References(store(self.store), "erp"),
            options=replace(self.options, match_by=self.match_by),
            clock=self.clock,
        )

    def customers_of(self, customer_id: str) -> list[str]:
        number = number_of(customer_id, self.options.number_prefix)
        return self.there("customer", lambda body: body.get("CustomerAccount") == number)

    def orders_of(self, order_id: str) -> list[str]:
        """An order with a second line stands here twice, since its amount counts twice."""
        reference = reference_of(order_id)
        numbers = self.there("order", lambda body: body.get("CustomersOrderReference") == reference)
        lines = self.there("order-line", lambda body: body.get("SalesOrderNumber") in numbers)
        return [number for number in numbers for _ in range(max(1, lines.count(number)))]

    def enter(self, name: str, **known: str) -> str:
        body = {"CustomerAccount": f"US-{uuid4().hex[:8].upper()}", "CustomerGroupId": "20", "SalesCurrencyCode": "USD"}
        body |= {"OrganizationName": name, "TaxExemptNumber": known.get("tax_number", "")}
        body |= {"PrimaryContactEmail": known.get("email", ""), "OnHoldStatus": known.get("blocked", "No")}
        return str(self.system.control("POST", "customers", json=body).json()["customerNumber"])

    def customer(self, number: str) -> dict[str, Any]:
        body: dict[str, Any] = [it for it in self.effects() if it["number"] == number][-1]["body"]
        return {
            "name": body["OrganizationName"],
            "tax_number": body["TaxExemptNumber"],
            "email": body["PrimaryContactEmail"],
            "blocked": body["OnHoldStatus"],
            **body,
        }
