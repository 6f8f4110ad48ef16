"""What the intake does with the webhooks of Business Central: the handshake, and notifications that become events.

For any answer but 2xx, 408, 429 and 5xx, Business Central drops what it has sent and deletes the subscription. So only
what proves to be none of ours is refused: a body that is no notification, or one without our clientState. Whatever else
cannot be used is logged and left to the sweep (`integration.watching`), which reads what has changed.
"""

import re
from typing import Any

from pydantic import ValidationError

from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent
from integration.events.body import parse_body
from integration.events.business_central_notification import Changed, Notification
from integration.events.fields import not_a
from integration.intake.taking_in import Accepted, IntakeRequest, TakingIn
from integration.intake.watched_company import CALLER, SOURCE, WatchedCompany
from integration.telemetry import get_logger

_TOKEN = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)
_log = get_logger(__name__)


class BusinessCentralIntake:
    """The endpoint for webhooks. Raises `Rejected` (400 to 429) or `Unavailable` (503)."""

    def __init__(self, taking_in: TakingIn, watched: WatchedCompany | None) -> None:
        self._taking_in = taking_in
        self._watched = watched

    @staticmethod
    def handshake(request: IntakeRequest) -> str | None:
        """The token that Business Central wants to have back as plain text; None for a request that is none."""
        token = request.params.get("validationToken", "")
        return token if _TOKEN.fullmatch(token) else None

    async def notifications(self, request: IntakeRequest) -> list[Accepted]:
        """Take in what has changed."""
        started = self._taking_in.clock.monotonic()
        try:
            events = self._read(request)
        except Rejected as error:
            self._taking_in.log_refusal(request, SOURCE, "unknown", error)
            raise
        return await self._taking_in.queue_all(events, CALLER, SOURCE, started)

    def _read(self, request: IntakeRequest) -> list[IntegrationEvent]:
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
        self._taking_in.check_caller(CALLER, SOURCE)
        if len(ours) < len(entries):
            _log.warning("not-ours", source=SOURCE, caller="unknown", status=401)
        changes = [changed for it in ours if (changed := self._changed(it, self._watched.company))]
        events = self._watched.events(changes, request.headers)
        self._taking_in.check_tables(events, CALLER)
        return events

    def _is_ours(self, entry: Any) -> bool:
        offered = entry.get("clientState") if isinstance(entry, dict) else None
        return isinstance(offered, str) and self._taking_in.caller_of(offered) == CALLER

    @staticmethod
    def _changed(entry: dict[str, Any], company: str) -> Changed | None:
        try:
            changed = Notification.model_validate(entry).changed(company)
        except ValidationError:
            changed = None
        if changed is None:
            _log.info("left-to-the-sweep", source=SOURCE, caller=CALLER)
        return changed
