"""The adapter as a whole: customers and orders of one company."""

from typing import Self

from integration.clock import Clock
from integration.systems.business_central.customers import Customers
from integration.systems.business_central.options import Options
from integration.systems.business_central.orders import Orders
from integration.systems.business_central.reports import Reports
from integration.systems.business_central.webhooks import Webhooks
from integration.systems.business_central.webservice import Company
from integration.systems.odata.adapter import ErpAdapter
from integration.systems.references import References
from integration.transport import Authorizer, Sender


class BusinessCentral(ErpAdapter):
    """Business Central; `webhooks` say what changes there."""

    def __init__(
        self, customers: Customers, orders: Orders, reports: Reports, webhooks: Webhooks, tables: Company
    ) -> None:
        super().__init__(customers, orders, reports, tables)
        self.webhooks = webhooks

    @classmethod
    def over(
        cls,
        sender: Sender,
        authorizer: Authorizer,
        service: str,
        *,
        base_url: str,
        company: str,
        references: References,
        options: Options,
        clock: Clock,
    ) -> Self:
        """For the company with this id; `base_url` ends with `/api/v2.0`."""
        web = Company(sender, service, authorizer, base_url=base_url, company=company)
        customers = Customers(web, references, options, clock)
        webhooks = Webhooks(sender, service, authorizer, base_url=base_url, company=company, rows=web)
        return cls(customers, Orders(web, customers, references, options, clock), Reports(web), webhooks, web)
