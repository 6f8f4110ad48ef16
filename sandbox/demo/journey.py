"""Following one event from the intake to its end, stop by stop, as the app's own status tells it."""

import time
from datetime import UTC, datetime
from typing import Any

import requests

from sandbox.client import Client, EventTimeoutError, eventually
from sandbox.client.app import SETTLED
from sandbox.demo.screen import Screen

_WITHIN = 30.0
_PAUSE = 0.03

_STAGES = {"publish": ("hub", "the settled event is published")}


class Journeys:
    """Follows events on the screen; gives each one's last status."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self._screen = screen

    def of_row(self, row_id: str, after: int) -> dict[str, Any]:
        """Follow what a step of the Dataverse stand-in published of a row after event number `after`."""
        event_id = self._client.dataverse.event_id(row_id, after=after)
        published = next(event for event in self._client.dataverse.events(after=after) if event["id"] == row_id)
        origin = datetime.fromisoformat(published["at"])
        self._screen.stop(0, "Dataverse", f"step for {published['message']} of {published['table']} fires the webhook")
        return self._follow(event_id, origin)

    def of_request(self, sent: datetime, answer: requests.Response, sender: str) -> dict[str, Any]:
        """Follow what a request that was sent to the intake has started."""
        answer.raise_for_status()
        self._screen.stop(0, sender, f"POST {answer.request.path_url.partition('?')[0]}")
        return self._follow(answer.json()["eventId"], sent)

    def _follow(self, event_id: str, origin: datetime) -> dict[str, Any]:
        shown: set[str] = set()
        deadline = time.monotonic() + _WITHIN
        while time.monotonic() < deadline:
            status = self._client.app.operation(event_id)
            if status is not None:
                if not shown:
                    self._accepted(status, origin)
                    shown.add("accepted")
                self._steps(status, origin, shown)
                if status["state"] in SETTLED:
                    self._settled(status, origin)
                    self._archived(event_id, origin)
                    return status
            time.sleep(_PAUSE)
        raise EventTimeoutError(f"Event {event_id} has not settled within {_WITHIN:.0f} s")

    def _accepted(self, status: dict[str, Any], origin: datetime) -> None:
        self._screen.stop(
            _since(origin, status["acceptedAt"]),
            "intake",
            f"202, queued in session {status['table']}:{status['recordId']}",
        )
        self._screen.note(f"          event {status['eventId']}  correlation {status['correlationId']}")

    def _steps(self, status: dict[str, Any], origin: datetime, shown: set[str]) -> None:
        for step in status["steps"]:
            if step["state"] == "done" and step["name"] not in shown:
                shown.add(step["name"])
                stage, what = _STAGES.get(step["name"], ("worker", step["name"]))
                told = f"{what}: {step['detail']}" if step["detail"] else what
                self._screen.stop(_since(origin, step["at"]), stage, told)

    def _settled(self, status: dict[str, Any], origin: datetime) -> None:
        because = status["detail"] or status["reason"] or ""
        self._screen.stop(_until_now(origin), "status", f"{status['state']}: {because}")

    def _archived(self, event_id: str, origin: datetime) -> None:
        line = eventually(
            lambda: self._client.archive.line_of(event_id), within=_WITHIN, what=f"event {event_id} in the archive"
        )
        if line is not None:
            place = f"partition {line['partition']}, sequence number {line['sequenceNumber']}"
            self._screen.stop(_until_now(origin), "archive", f"a line in the sink: {place}")


def _until_now(origin: datetime) -> float:
    return (datetime.now(UTC) - origin).total_seconds() * 1000


def _since(origin: datetime, at: str) -> float:
    return max(0.0, (datetime.fromisoformat(at) - origin).total_seconds() * 1000)
