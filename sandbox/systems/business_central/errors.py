"""Errors as Business Central answers them (Microsoft Learn, "Error codes" of its web services)."""

import uuid

from aiohttp import web

from sandbox.systems.http_server import Fault

TOO_MANY = 429


class BusinessCentralError(Exception):
    """An answer that is no success: its HTTP status, its code and the text without the correlation id."""

    def __init__(self, status: int, code: str, said: str) -> None:
        super().__init__(said)
        self.status, self.code, self.said = status, code, said


def dialog(said: str) -> BusinessCentralError:
    """A business rule refuses the request."""
    return BusinessCentralError(400, "Application_DialogException", said)


def bad_request(said: str, code: str = "BadRequest") -> BusinessCentralError:
    """The request itself is wrong."""
    return BusinessCentralError(400, code, said)


def not_found() -> BusinessCentralError:
    """There is no such row; a PATCH never makes one."""
    return BusinessCentralError(404, "Internal_RecordNotFound", "Resource not found for the requested segment.")


def answer_for(error: BusinessCentralError) -> web.Response:
    """The error as an answer. A 429 has no Retry-After: only its text says that one has to wait."""
    said = f"{error.said}  CorrelationId:  {uuid.uuid4()}."
    return web.json_response({"error": {"code": error.code, "message": said}}, status=error.status)


def error_for(fault: Fault) -> web.Response:
    """The error of Business Central for a fault that was asked for."""
    status = fault.status or 500
    code = {401: "Authentication_InvalidCredentials", 403: "Authorization_RequestDenied", 429: "Unknown"}.get(
        status, "Internal_ServerError" if status >= 500 else "BadRequest"
    )
    return answer_for(BusinessCentralError(status, code, "A fault that was asked for; run.py heal ends it."))
