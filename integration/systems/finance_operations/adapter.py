"""The adapter as a whole: customers and orders of one legal entity."""

from typing import Self

from integration.clock import Clock
from integration.systems.finance_operations.customers import Customers
from integration.systems.finance_operations.options import Options
from integration.systems.finance_operations.orders import Orders
from integration.systems.finance_operations.reports import Reports
from integration.systems.finance_operations.webservice import Company
from integration.systems.odata.adapter import ErpAdapter
from integration.systems.references import References
from integration.transport import Authorizer, Sender


class FinanceOperations(ErpAdapter):
    """Finance & Operations."""

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
        """For the legal entity with this id (`dataAreaId`); `base_url` is that of the environment."""
        web = Company(sender, service, authorizer, base_url=base_url, company=company)
        customers = Customers(web, references, options, clock)
        return cls(customers, Orders(web, customers, references, options, clock), Reports(web), web)
