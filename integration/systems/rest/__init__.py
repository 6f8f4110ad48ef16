"""Systems that keep the REST contract of this project: an ERP and credit scoring, which honour an Idempotency-Key."""

from integration.systems.rest.calls import rest_failure
from integration.systems.rest.credit import CreditClient
from integration.systems.rest.erp import ErpClient
from integration.systems.rest.resources import Resources

__all__ = ["CreditClient", "ErpClient", "Resources", "rest_failure"]
