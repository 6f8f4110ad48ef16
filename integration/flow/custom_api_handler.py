"""An inbound flow that calls a custom API: once for each state of a record, and again with the same key if in doubt."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from integration.clock import iso
from integration.dataverse import DataverseClient
from integration.errors import Permanent
from integration.flow.custom_api import CustomApi
from integration.flow.inbound import InboundFlow, Reading
from integration.flow.kit import Answer, Kit
from integration.worker.effects import fingerprint
from integration.worker.handler import InboundHandler, Outcome
from integration.worker.work import Work

EFFECT: Final = "custom-api"


class CustomApiHandler(InboundHandler):
    """Handles the events of one such flow; every call carries `tag`.

    The record is read as it is now. Where the API was called with this very state, nothing follows, so repeated, late
    and reordered events end without a call, and so does an event that the call itself has caused in the other system.
    """

    def __init__(
        self, flow: InboundFlow, api: CustomApi, dataverse: DataverseClient, systems: Mapping[str, object], *, tag: str
    ) -> None:
        self._flow = flow
        self._api = api
        self._dataverse = dataverse
        self._systems = systems
        self._tag = tag
        self.table = flow.table
        self.messages = flow.messages
        self.answers = {EFFECT: ("customApi",)}

    async def bring(self, work: Work) -> Outcome:
        reading = await self._flow.read_record(Kit(work.record_id, self._dataverse, work, work.effects, self._systems))
        if reading is None:
            return Outcome.completed(f"{self._flow.system} has no such {self._flow.kind} any more")
        parameters = self._parameters(reading)
        done_with = fingerprint(reading.key, sorted(parameters.items()))
        if work.effects.is_done(EFFECT, done_with):
            return Outcome.superseded(f"{self._api.name} was called with this state of {self._flow.kind} {reading.key}")

        async def call(key: str) -> Answer:
            repeated = {self._api.repeat_key: key} if self._api.repeat_key else {}
            await self._dataverse.call(self._api.name, {**parameters, **repeated}, tag=self._tag, context=work.context)
            return {"customApi": self._api.name}

        await work.effects.once(EFFECT, done_with, call, report=lambda answer: f"{answer['customApi']} was called")
        return Outcome.completed(f"{self._api.name} was called for {self._flow.kind} {reading.key}")

    def _parameters(self, reading: Reading) -> dict[str, Any]:
        """What has a value, as the Web API takes it; raises `Permanent` for a parameter that is not declared."""
        if undeclared := reading.results.keys() - set(self._api.parameters):
            raise Permanent(
                f"{self._api.name} has no parameter {', '.join(sorted(undeclared))} in the flow of {self._flow.table}",
                reason="flow-missing",
            )
        return {name: _plain(it) for name, it in reading.results.items() if it is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return Decimal(value) if isinstance(value, float) else value
