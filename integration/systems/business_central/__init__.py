"""Dynamics 365 Business Central, over its standard API v2.0, without anything installed there.

It honours no Idempotency-Key. Customers go by a number that is made of their Dataverse id; orders carry that id as
their external document number, and are reserved as drafts without lines before they get their one line.
"""

from integration.systems.business_central.adapter import BusinessCentral
from integration.systems.business_central.errors import business_central_failure
from integration.systems.business_central.options import Options

__all__ = ["BusinessCentral", "Options", "business_central_failure"]
