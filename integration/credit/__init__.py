"""The client of credit scoring."""

from integration.credit.client import CreditClient, CreditScore

__all__ = ["CreditClient", "CreditScore"]
