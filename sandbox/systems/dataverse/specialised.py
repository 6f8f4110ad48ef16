"""The older messages beside an Update: Assign for a new owner, SetState and SetStateDynamicEntity for a new state.

Microsoft's documentation ("Behavior of specialized update operations") has these operations done by Update, and calls
the messages deprecated. It does not say whether steps that are registered on them fire with such an Update. Here they
do, so that flows which accept these messages can be tried. Their parameters are those of AssignRequest and
SetStateRequest, as a captured parent context has them.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from sandbox.systems.dataverse.change import Change

ASSIGN: Final = "Assign"
SET_STATE: Final = ("SetState", "SetStateDynamicEntity")
MESSAGES: Final = (ASSIGN, *SET_STATE)
_STATES: Final = frozenset({"statecode", "statuscode"})


def beside(change: Change) -> Iterator[Change]:
    """The messages that an Update also is, by what was sent."""
    if change.table.user_owned and "ownerid" in change.sent:
        yield replace(change, message=ASSIGN)
    if not _STATES.isdisjoint(change.sent) and "statecode" in change.table.columns:
        yield from (replace(change, message=message) for message in SET_STATE)
