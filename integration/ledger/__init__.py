"""The ledger in Azure Tables: what was done for each record, and how far each event has come."""

from integration.ledger.ledger import Ledger
from integration.ledger.memory import DeadLetter, Effect, Memory
from integration.ledger.record import Record
from integration.ledger.status import EventStatus, State, Step

__all__ = ["DeadLetter", "Effect", "EventStatus", "Ledger", "Memory", "Record", "State", "Step"]
