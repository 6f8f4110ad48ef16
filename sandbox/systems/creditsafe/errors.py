"""Errors as Creditsafe Connect answers them (doc.creditsafe.com, Error Code Status)."""

import uuid

from aiohttp import web

from sandbox.systems.http_server import Fault

_MESSAGES = {
    400: "Bad request",
    401: "Unauthorized",
    402: "Payment required",
    403: "Forbidden request",
    404: "Not found",
    429: "Too many requests",
}


class ConnectError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, details: str, *, code: str = "") -> None:
        super().__init__(details)
        self.status, self.details, self.code = status, details, code


def answer_for(error: ConnectError) -> web.Response:
    """With a message and details; one with a code has it among messages instead, as for reports that are not there."""
    body: dict[str, object] = {"correlationId": str(uuid.uuid4())}
    if error.code:
        body["messages"] = [{"type": "Information", "code": error.code, "text": error.details}]
    else:
        body |= {"message": _MESSAGES.get(error.status, "Internal server error"), "details": error.details}
    return web.json_response(body, status=error.status)


def error_for(fault: Fault) -> web.Response:
    """The error for a fault that was asked for."""
    return answer_for(ConnectError(fault.status or 500, "A fault that was asked for; run.py heal ends it."))
