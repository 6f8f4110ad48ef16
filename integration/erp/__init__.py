"""The ERP's client and the bodies it sends and gets."""

from integration.erp.client import ErpClient
from integration.erp.messages import Address, Customer, CustomerState, Order, OrderState

__all__ = ["Address", "Customer", "CustomerState", "ErpClient", "Order", "OrderState"]
