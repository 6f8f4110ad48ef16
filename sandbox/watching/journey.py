"""Follows one event from the intake to its end, step by step, as the app's own status shows it."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from sandbox.client import Client, EventTimeoutError, eventually
from sandbox.client.app import SETTLED
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import shortened

_WITHIN = 60.0
_PAUSE = 0.03
_PUBLISHED_WITHIN = 5.0

_STAGE_WIDTH = 10
_PUBLISH = "publish"


class Journeys:
    """Follows events on the screen; gives each one's last status.

    With `archived`, it also waits until the event is in the archive.
    """

    def __init__(self, client: Client, screen: Screen, *, archived: bool = True) -> None:
        self._client = client
        self._screen = screen
        self._archived = archived

    def of_row(self, row_id: str, after: int) -> dict[str, Any]:
        """Follow the event about a row that a step of the Dataverse stand-in published after event number `after`."""
        event_id = self._client.dataverse.event_id(row_id, after=after)
        published = next(event for event in self._client.dataverse.events(after=after) if event["id"] == row_id)
        self._stop(0, "Dataverse", f"the step for {published['message']} of {published['table']} calls the webhook")
        return self.of_event(event_id, datetime.fromisoformat(published["at"]))

    def of_request(self, sent: datetime, answer: requests.Response, sender: str) -> dict[str, Any]:
        """Follow what a request to the intake has started."""
        answer.raise_for_status()
        self._stop(0, sender, f"POST {answer.request.path_url.partition('?')[0]}")
        return self.of_event(answer.json()["eventId"], sent)

    def of_event(self, event_id: str, origin: datetime) -> dict[str, Any]:
        """Follow an event to its end; raises `EventTimeoutError` when that does not come within a minute.

        Times are milliseconds since `origin`. An event has come to its end when its state is final and its last step is
        done, the publication for analytics: between the two, a dead letter's row is marked.
        """
        shown: set[str] = set()
        deadline, final_at = time.monotonic() + _WITHIN, 0.0
        while time.monotonic() < deadline:
            status = self._client.app.operation(event_id)
            if status is not None:
                self._show(status, origin, shown)
                if status["state"] in SETTLED:
                    final_at = final_at or time.monotonic()
                    if _PUBLISH in shown or time.monotonic() - final_at > _PUBLISHED_WITHIN:
                        self._end(status, origin)
                        return status
            time.sleep(_PAUSE)
        raise EventTimeoutError(f"Event {event_id} has not ended within {_WITHIN:.0f} s.")

    def _show(self, status: Mapping[str, Any], origin: datetime, shown: set[str]) -> None:
        if "accepted" not in shown:
            shown.add("accepted")
            event, session = shortened(status["eventId"]), shortened(f"{status['table']}:{status['recordId']}")
            self._stop(_since(origin, status["acceptedAt"]), "intake", f"event {event}, session {session}")
        for step in status["steps"]:
            if step["state"] == "done" and step["name"] not in shown:
                shown.add(step["name"])
                stage, what = ("hub", "published for analytics") if step["name"] == _PUBLISH else _effect(step)
                self._stop(_since(origin, step["at"]), stage, what)
        waiting = f"attempt {status['attempts']}"
        if status["state"] == "waiting" and waiting not in shown:
            shown.add(waiting)
            self._stop(_until_now(origin), "waiting", f"{status['reason']}: {shortened(status['detail'] or '')}")

    def _end(self, status: Mapping[str, Any], origin: datetime) -> None:
        if self._archived:
            eventually(
                lambda: self._client.archive.line_of(status["eventId"]), within=_WITHIN, what="the event in the archive"
            )
            self._stop(_until_now(origin), "archive", "analytics has the event")
        because = shortened(status["detail"] or status["reason"] or "")
        self._stop(_until_now(origin), "result", f"{status['state']}: {because}", STYLES.get(status["state"], ""))

    def _stop(self, milliseconds: float, stage: str, what: str, style: str = "") -> None:
        head = [(f"  {milliseconds:6.0f} ms  ", "dim"), (f"{stage:<{_STAGE_WIDTH}}  ", style or "cyan")]
        self._screen.beside(head, what, style)


def _effect(step: Mapping[str, Any]) -> tuple[str, str]:
    return "worker", f"{step['name']}: {step['detail']}" if step["detail"] else step["name"]


def _until_now(origin: datetime) -> float:
    return (datetime.now(UTC) - origin).total_seconds() * 1000


def _since(origin: datetime, at: str) -> float:
    return max(0.0, (datetime.fromisoformat(at) - origin).total_seconds() * 1000)
