"""What the intake does with the webhooks of Business Central: the handshake, and notifications that become events.

For any answer but 2xx, 408, 429 and 5xx, Business Central drops what it has sent and deletes the subscription. So only
what proves to be none of ours is refused: a body that is no notification, or one without our clientState. Whatever else
cannot be used is logged and left to the sweep (`integration.watching`), which reads what has changed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent
from integration.events.body import parse_body
from integration.events.erp_event import ErpEventName, Hint, erp_events
from integration.events.fields import not_a
from integration.intake.taking_in import Accepted, IntakeRequest, TakingIn
from integration.systems.business_central.webhooks import Changed, Notification
from integration.telemetry import get_logger

CALLER: Final = "business-central"
"""The caller of INTAKE_KEYS whose key is the clientState of our subscriptions."""
SOURCE: Final = "business-central"
_TOKEN = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """The one company that is watched: the name of its system in the settings, and its id."""

    system: str
    company: str


def hint_of(changed: Changed) -> Hint:
    """The same for a notification and for the sweep, so that what both have seen is one event."""
    at = "" if changed.at is None else changed.at.isoformat()
    return Hint(id=at, source=SOURCE, record=changed.record, time=changed.at)


def name_of(changed: Changed, watched: Watched, names: Mapping[str, ErpEventName]) -> ErpEventName | None:
    """What a change is taken in as: `order-changed` for records `erp.order`, where a flow takes that."""
    found = names.get(f"{changed.kind}-changed")
    return found if found is not None and found.kind == f"{watched.system}.{changed.kind}" else None


class BusinessCentralIntake:
    """The endpoint for webhooks. Raises `Rejected` (400, 401, 404, 413, 415) or `Unavailable` (503)."""

    def __init__(
        self, taking_in: TakingIn, names: Iterable[ErpEventName], watched: Watched | None, *, organisation: str
    ) -> None:
        self._taking_in = taking_in
        self._names = {it.name: it for it in names}
        self._watched = watched
        self._organisation = organisation

    @staticmethod
    def handshake(request: IntakeRequest) -> str | None:
        """The token that Business Central wants to have back as plain text; None for a request that is none."""
        token = request.params.get("validationToken", "")
        return token if _TOKEN.fullmatch(token) else None

    async def notifications(self, request: IntakeRequest) -> list[Accepted]:
        """Take in what has changed."""
        started = self._taking_in.clock.monotonic()
        try:
            changes = self._read(request)
        except Rejected as error:
            self._taking_in.log_refusal(request, SOURCE, "unknown", error)
            raise
        events = self._events(changes, request.headers)
        return await self._taking_in.queue_all(events, CALLER, SOURCE, started)

    def _read(self, request: IntakeRequest) -> list[Changed]:
        if self._watched is None:
            raise Rejected(404, "Not watched", "No system of this app is Business Central.")
        self._taking_in.check(request)
        entries = parse_body(request.body).get("value")
        if not isinstance(entries, list) or not entries:
            raise not_a("notification of Business Central", [Fault("/value", "has to be a list that is not empty")])
        ours = [it for it in entries if self._is_ours(it)]
        if not ours:
            raise Rejected(
                401, "Not our subscription", "No notification has the clientState of a subscription of ours."
            )
        if len(ours) < len(entries):
            _log.warning("not-ours", source=SOURCE, caller="unknown", status=401)
        return [changed for it in ours if (changed := self._changed(it, self._watched))]

    def _is_ours(self, entry: Any) -> bool:
        offered = entry.get("clientState") if isinstance(entry, dict) else None
        return isinstance(offered, str) and self._taking_in.caller_of(offered) == CALLER

    @staticmethod
    def _changed(entry: dict[str, Any], watched: Watched) -> Changed | None:
        try:
            changed = Notification.model_validate(entry).changed(watched.company)
        except ValidationError:
            changed = None
        if changed is None:
            _log.info("left-to-the-sweep", source=SOURCE, caller=CALLER)
        return changed

    def _events(self, changes: Iterable[Changed], headers: Mapping[str, str]) -> list[IntegrationEvent]:
        hints: dict[ErpEventName, list[Hint]] = {}
        for changed in changes:
            name = self._watched and name_of(changed, self._watched, self._names)
            if name:
                hints.setdefault(name, []).append(hint_of(changed))
        return [
            event
            for name, many in hints.items()
            for event in erp_events(
                many,
                headers=headers,
                name=name,
                caller=CALLER,
                organisation=self._organisation,
                accepted_time=self._taking_in.clock.now(),
            )
        ]
