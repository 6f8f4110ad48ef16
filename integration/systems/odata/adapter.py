"""An adapter as a whole, put together of the parts for customers, orders and reports."""

from collections.abc import Mapping

from integration.systems.odata.listing import Tables
from integration.systems.ports import CustomerSystem, ErpRecords, OrderSystem
from integration.systems.safety import Safety


class ErpAdapter:
    """`CustomerSystem`, `OrderSystem` and `ErpRecords`, each by a part of its own; `tables` are all rows there are."""

    def __init__(self, customers: CustomerSystem, orders: OrderSystem, reports: ErpRecords, tables: Tables) -> None:
        self.tables = tables
        self.safety: Mapping[str, Safety] = {**customers.safety, **orders.safety}
        self.put_customer = customers.put_customer
        self.match_customer = customers.match_customer
        self.get_customer = customers.get_customer
        self.block_customer = customers.block_customer
        self.put_order = orders.put_order
        self.get_order = orders.get_order
        self.hold_order = orders.hold_order
        self.customer_report = reports.customer_report
        self.order_report = reports.order_report
