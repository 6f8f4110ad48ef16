"""The requests that an editor sends work as they are written."""

import time
from typing import Any

import requests

from sandbox.client import Client
from sandbox.client.app import SETTLED
from sandbox.running.sandbox import Sandbox
from tests.http_file import body_of, filled_in, requests_of, variables

PAUSE_IS_KNOWN = 2.0
"""Seconds after which every instance knows of a pause."""


def test_every_request_of_the_running_sandbox_is_answered_as_its_title_says(sandbox: Sandbox, client: Client) -> None:
    """Sent in their order, from the file that the sandbox has written."""
    path = sandbox.state.requests
    text = path.read_text(encoding="utf-8")
    answers: dict[str, Any] = {}
    for request in requests_of(text):
        values, body = variables(text), body_of(request, path.parent)
        answer = requests.request(
            request.method,
            filled_in(request.url, values, answers),
            headers={name: filled_in(value, values, answers) for name, value in request.headers.items()},
            data=None if body is None else filled_in(body.decode(), values, answers).encode(),
            timeout=30,
        )
        assert answer.status_code == request.status, f"{request.title}: {answer.text}"
        if request.name:
            answers[request.name] = answer.json()
            if event_id := answers[request.name].get("eventId"):
                client.app.wait_for(event_id, {*SETTLED, "waiting"})
        if request.url.endswith("/pause"):
            time.sleep(PAUSE_IS_KNOWN)
