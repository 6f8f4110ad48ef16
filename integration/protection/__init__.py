"""Protects outside systems from overload, and events from failing one by one during an outage; see protected.py."""

from integration.protection.breaker import BreakerPolicy, Pause, Phase, SystemState
from integration.protection.budget import Budget
from integration.protection.debug_detail import DebugDetail, Detail
from integration.protection.instances import Instances
from integration.protection.limiter import Limiter
from integration.protection.postponements import Postponements
from integration.protection.protected import Protected
from integration.protection.shared_state import MemoryState, SharedState
from integration.protection.spending import Spending
from integration.protection.switch import Switch
from integration.protection.table_pauses import TablePauses

__all__ = [
    "BreakerPolicy",
    "Budget",
    "DebugDetail",
    "Detail",
    "Instances",
    "Limiter",
    "MemoryState",
    "Pause",
    "Phase",
    "Postponements",
    "Protected",
    "SharedState",
    "Spending",
    "Switch",
    "SystemState",
    "TablePauses",
]
