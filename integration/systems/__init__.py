"""The systems outside, in the language of the business: what they are told and what they answer.

A package for each kind of system has its adapter: `rest`.
"""

from integration.systems.messages import Address, CreditScore, Customer, CustomerState, Order, OrderState

__all__ = ["Address", "CreditScore", "Customer", "CustomerState", "Order", "OrderState"]
