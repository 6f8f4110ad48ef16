"""The outside systems in the language of the business: ports, and the messages that they take and return.

A package for each kind of system is its adapter: `rest` for systems that keep the REST contract of this project,
`business_central` for Dynamics 365 Business Central, `finance_operations` for Dynamics 365 Finance & Operations,
`creditsafe` for Creditsafe Connect.
"""

from integration.systems.messages import (
    NO_KEYS,
    Address,
    Amount,
    Company,
    CreditScore,
    Customer,
    CustomerKeys,
    CustomerMatch,
    CustomerReport,
    CustomerState,
    Message,
    Order,
    OrderReport,
    OrderState,
)
from integration.systems.ports import CustomerSystem, Erp, ErpRecords, OrderSystem, Scoring
from integration.systems.safety import Safety

__all__ = [
    "NO_KEYS",
    "Address",
    "Amount",
    "Company",
    "CreditScore",
    "Customer",
    "CustomerKeys",
    "CustomerMatch",
    "CustomerReport",
    "CustomerState",
    "CustomerSystem",
    "Erp",
    "ErpRecords",
    "Message",
    "Order",
    "OrderReport",
    "OrderState",
    "OrderSystem",
    "Safety",
    "Scoring",
]
