"""A flow of the calls of a custom API as the worker's handler: each event has its effects once."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integration.dataverse import DataverseClient
from integration.errors import Permanent
from integration.events import Choice, Money
from integration.flow.columns import to_the_cent
from integration.flow.event_flow import Call, EventFlow
from integration.flow.kit import Kit
from integration.worker.effects import fingerprint
from integration.worker.handler import InboundHandler, Outcome
from integration.worker.work import Work

_PLAIN = (str, bool, int, Decimal, datetime)


class EventFlowHandler(InboundHandler):
    """Handles the events of one such flow.

    What was done stands with the event's key in the ledger, not with the step's call: a custom API that was called
    twice for one event (an answer was lost, a cash register repeats itself) has one effect.
    """

    def __init__(self, flow: EventFlow, dataverse: DataverseClient, systems: Mapping[str, object]) -> None:
        self._flow, self._dataverse, self._systems = flow, dataverse, systems
        self.table = flow.table
        self.messages = frozenset({flow.api.name})
        self.answers = {it.name: it.publishes for it in flow.reactions}

    def carried(self, message: str) -> frozenset[str]:  # noqa: ARG002 -- it has one message only
        return frozenset(self._flow.api.all_parameters)

    async def bring(self, work: Work) -> Outcome:
        call = self._call(work)
        effects = await work.effects_of(self._flow.table, f"{self._flow.api.name}:{call.key}")
        kit = Kit(call.key, self._dataverse, work, effects, self._systems)
        told = {name: value for name, value in call.parameters.items() if name != self._flow.api.repeat_key}
        done_with = fingerprint(sorted(told.items()))
        done = []
        for it in self._flow.reactions:
            if effects.is_done(it.name, done_with):
                continue

            async def do(key: str, reaction: Any = it) -> Any:
                return await reaction.do(call, kit, key)

            await effects.once(it.name, done_with, do, report=it.says)
            await effects.save()
            done.append(it.done)
        if not done and self._flow.reactions:
            return Outcome.superseded(f"{self._flow.api.name} was called with the same for {call.key} before")
        return Outcome.completed(" and ".join(done) or "nothing follows from it")

    def _call(self, work: Work) -> Call:
        """What was called; raises `Permanent` (record-missing) where the event does not say which one it is."""
        api = self._flow.api
        sent = {**work.event.parameters, **work.event.values}  # values: of the row that a message is about
        given = {name: _plain(sent.get(name)) for name in api.all_parameters}
        parameters = {name: value for name, value in given.items() if value is not None}
        if self._flow.key not in parameters:
            too_large = "; the payload was too large to be sent whole" if work.event.trimmed else ""
            raise Permanent(f"the call of {api.name} has no {self._flow.key}{too_large}", reason="record-missing")
        return Call(str(parameters[self._flow.key]), parameters)


def _plain(value: Any) -> Any:
    """A parameter's value without the type that Dataverse wraps it in; None for what no kind of parameter is."""
    if isinstance(value, Money):
        return to_the_cent(value.amount)
    if isinstance(value, Choice):
        return value.value
    return value if isinstance(value, _PLAIN) else None
