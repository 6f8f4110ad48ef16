"""Dynamics 365 Finance & Operations, over its standard data entities (OData), without anything installed there.

It honours no Idempotency-Key. Customers go by a number that is made of their Dataverse id; orders carry that id as the
customer's order reference, and are reserved as stopped headers without lines before a change set completes them.
"""

from integration.systems.finance_operations.adapter import FinanceOperations
from integration.systems.finance_operations.errors import finance_operations_failure
from integration.systems.finance_operations.options import Options

__all__ = ["FinanceOperations", "Options", "finance_operations_failure"]
