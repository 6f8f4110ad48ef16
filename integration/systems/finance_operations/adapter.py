"""The adapter as a whole: customers and orders of one legal entity."""

from collections.abc import Mapping
from typing import Self

from integration.clock import Clock
from integration.systems.finance_operations.customers import Customers
from integration.systems.finance_operations.options import Options
from integration.systems.finance_operations.orders import Orders
from integration.systems.finance_operations.reports import Reports
from integration.systems.finance_operations.webservice import Company
from integration.systems.references import References
from integration.systems.safety import Safety
from integration.transport import Authorizer, Sender


class FinanceOperations:
    """`CustomerSystem`, `OrderSystem` and `ErpRecords`."""

    def __init__(self, customers: Customers, orders: Orders, reports: Reports) -> None:
        self.safety: Mapping[str, Safety] = {**customers.safety, **orders.safety}
        self.put_customer = customers.put_customer
        self.get_customer = customers.get_customer
        self.block_customer = customers.block_customer
        self.put_order = orders.put_order
        self.get_order = orders.get_order
        self.hold_order = orders.hold_order
        self.customer_report = reports.customer_report
        self.order_report = reports.order_report

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
        return cls(customers, Orders(web, customers, references, options, clock), Reports(web))
