"""The ledger in Azure Tables: events accepted, effects done, verdicts, and what each record was last driven to."""

from integration.ledger.entry import Entry
from integration.ledger.ledger import Ledger
from integration.ledger.operation import Operation, State, Step
from integration.ledger.records import BEGUN, RecordMemory, Records
from integration.ledger.tables import Tables

__all__ = ["BEGUN", "Entry", "Ledger", "Operation", "RecordMemory", "Records", "State", "Step", "Tables"]
