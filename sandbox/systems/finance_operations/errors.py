"""Errors as Finance & Operations says them: no code, the .NET type of the exception, and the Infolog of X++."""

import uuid

from aiohttp import web

from sandbox.systems.http_server import Fault

_WRITE = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"
_QUERY = "Microsoft.OData.ODataException"
_BUSY = "This request could not be processed at this time due to system experiencing high resource utilization."


class FinanceOperationsError(Exception):
    """An answer that is no success: its HTTP status, the type of the exception (None: no innererror) and its text."""

    def __init__(self, status: int, kind: str | None, said: str, *, retry_after: int | None = None) -> None:
        super().__init__(said)
        self.status, self.kind, self.said, self.retry_after = status, kind, said, retry_after

    def within_change_set(self) -> "FinanceOperationsError":
        """The same in a part of a change set, where what X++ refuses is answered 500."""
        status = 500 if self.kind == _WRITE else self.status
        return FinanceOperationsError(status, self.kind, self.said)

    def body(self) -> dict[str, object]:
        """The body of the answer."""
        error: dict[str, object] = {"code": "", "message": "An error has occurred." if self.kind else self.said}
        if self.kind:
            error["innererror"] = {"message": self.said, "type": self.kind, "stacktrace": "   at Sandbox.Write()"}
        return {"error": error}


def refused(entity: str, *infolog: str) -> FinanceOperationsError:
    """X++ does not write a row; `infolog` are the lines of its Infolog, such as `Warning: ...`."""
    said = f"Write failed for table row of type '{entity}'. Infolog: {'; '.join(infolog)}."
    return FinanceOperationsError(400, _WRITE, said)


def unknown_value(entity: str, value: str, field: str, table: str) -> FinanceOperationsError:
    """A value that has to be in another table is not."""
    return refused(
        entity,
        f"Warning: The value '{value}' in field '{field}' is not found in the related table '{table}'.",
        f"Warning: validateField failed on field '{entity}.{field.replace(' ', '')}'.",
    )


def bad_query(said: str) -> FinanceOperationsError:
    """The request itself is wrong."""
    return FinanceOperationsError(400, _QUERY, said)


def not_there() -> FinanceOperationsError:
    """There is no such row for this user; without a body."""
    return FinanceOperationsError(404, None, "")


def stale() -> FinanceOperationsError:
    """The ETag is not that of the row."""
    return FinanceOperationsError(412, "Microsoft.OData.ODataException", "The etag value does not match the record.")


def busy(seconds: int) -> FinanceOperationsError:
    """Priority-based throttling: the environment has no resources to spare."""
    return FinanceOperationsError(429, None, _BUSY, retry_after=seconds)


def answer_for(error: FinanceOperationsError) -> web.Response:
    """The error as an answer; the header is the id of the activity in its logs."""
    headers = {"ms-dyn-aid": str(uuid.uuid4())}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 404 and not error.said:
        return web.Response(status=404, headers=headers)
    return web.json_response(error.body(), status=error.status, headers=headers)


def error_for(fault: Fault) -> web.Response:
    """What Finance & Operations says of a fault that was asked for."""
    status = fault.status or 500
    if status == 429:
        return answer_for(busy(int(fault.headers.get("Retry-After", "1"))))
    said = "A fault that was asked for; run.py heal ends it."
    return answer_for(FinanceOperationsError(status, "System.InvalidOperationException", said))
