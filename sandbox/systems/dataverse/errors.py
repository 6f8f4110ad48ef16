"""Web API errors: the status, the code and the words that Dataverse uses.

The names in brackets, their codes and their words are those of "Web service error codes" in Microsoft's documentation,
here and where else a code is written. What is not in that list has its source beside it. Which status a code comes
with is documented for few of them; the others have the one that public clients expect.
"""

from aiohttp import web

from sandbox.systems.dataverse.json_text import dumps

_HEADERS = {"OData-Version": "4.0", "Content-Type": "application/json; odata.metadata=minimal"}


class ODataError(Exception):
    """An error answer; `code` is Dataverse's hexadecimal code, `part` the operation of a change set that failed."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None, part: int = 0
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}
        self.part = part

    def response(self, *, annotated: bool = False) -> web.Response:
        """The answer; `annotated` adds what `Prefer: odata.include-annotations` asks for."""
        error = {"code": self.code, "message": self.message}
        if annotated:
            error |= {
                "@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus": "0",
                "@Microsoft.PowerApps.CDS.HelpLink": "http://go.microsoft.com/fwlink/?LinkID=398563",
                "@Microsoft.PowerApps.CDS.TraceText": "",
                "@Microsoft.PowerApps.CDS.InnerError.Message": self.message,
            }
        return web.Response(
            body=dumps({"error": error}).encode(errors="replace"), status=self.status, headers=_HEADERS | self.headers
        )


def bad_request(message: str, code: str = "0x80060888") -> ODataError:
    """400: the request cannot be read. The code is that of answers in "Join tables using OData"."""
    return ODataError(400, code, message)


def invalid_argument(message: str) -> ODataError:
    """400: the request can be read, and the platform takes no such value (InvalidArgument)."""
    return ODataError(400, "0x80040203", message)


def still_referenced(component: str, users: int) -> ODataError:
    """400: what cannot be deleted because other components need it."""
    said = f"The {component} component cannot be deleted because it is referenced by {users} other components."
    hint = "For a list of referenced components, use the RetrieveDependenciesForDeleteRequest."
    return ODataError(400, "0x8004f01f", f"{said} {hint}")


def no_such_segment(segment: str) -> ODataError:
    """404: no entity set, function or action of that name ("Troubleshoot Dataverse Web API client errors")."""
    return ODataError(404, "0x8006088a", f"Resource not found for the segment '{segment}'.")


def not_simulated(what: str) -> ODataError:
    """501, OData's status for what a service does not support: a real environment has it, the stand-in does not."""
    return ODataError(
        501, "0x80060888", f"{what} is not simulated by the sandbox's Dataverse, though a real environment has it."
    )


def no_such_property(name: str, table: str) -> ODataError:
    """400: an unknown column in a query; clients report this code, the documentation prints 0x0."""
    return bad_request(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")


def undeclared_property(name: str, table: str) -> ODataError:
    """400: an unknown column in a body ("Troubleshoot Dataverse Web API client errors")."""
    return ODataError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{table}', For more information on this error "
        "please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : "
        f"Microsoft.OData.ODataException: Invalid property '{name}' was found in entity "
        f"'Microsoft.Dynamics.CRM.{table}'.",
    )


def unreadable_value(name: str, value: object, edm_type: str) -> ODataError:
    """400: a value of the wrong type; the code is that of every unreadable payload."""
    return ODataError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity, property '{name}': Cannot convert the literal "
        f"'{value}' to the expected type '{edm_type}'.",
    )


def no_such_row(table: str, row_id: str) -> ODataError:
    """404: the primary key is unknown (ObjectDoesNotExist)."""
    return ODataError(404, "0x80040217", f"Entity '{table}' With Id = {row_id} Does Not Exist")


def no_such_key(table: str) -> ODataError:
    """404: the alternate key's values are unknown (RecordNotFoundByEntityKey)."""
    return ODataError(404, "0x80060891", f"A record with the specified key values does not exist in {table} entity")


def version_mismatch() -> ODataError:
    """412: If-Match names a version that is no longer current (ConcurrencyVersionMismatch)."""
    return ODataError(
        412, "0x80060882", "The version of the existing record doesn't match the RowVersion property provided."
    )


def already_exists() -> ODataError:
    """412: a row with that key is there (DuplicateRecord; the words are those of "Perform conditional operations")."""
    return ODataError(412, "0x80040237", "A record with matching key values already exists.")


def key_violated(table: str, columns: str) -> ODataError:
    """412: an alternate key would not be unique any more (DuplicateRecordEntityKey)."""
    return ODataError(
        412,
        "0x80060892",
        f"Entity Key {columns} violated. A record with the same value for {columns} already exists in {table}. "
        "A duplicate record cannot be created. Select one or more unique values and try again.",
    )


def privilege_denied(message: str) -> ODataError:
    """403: the user lacks a privilege (PrivilegeDenied)."""
    return ODataError(403, "0x80040220", message)


def not_allowed(method: str) -> ODataError:
    """405: the resource exists, but does not support the method; clients report the code for definitions."""
    return ODataError(405, "0x80060888", f"The requested resource does not support http method '{method}'.")


def throttled(limit: str, retry_after: int) -> ODataError:
    """429: a service-protection limit; `limit` is requests, time or concurrency ("Service protection API limits")."""
    code, message = _LIMITS[limit]
    return ODataError(429, code, message, headers={"Retry-After": str(retry_after)})


_LIMITS = {
    "requests": ("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds."),
    "time": (
        "0x80072321",
        "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over 300 seconds.",
    ),
    "concurrency": ("0x80072326", "Number of concurrent requests exceeded the limit of 52."),
}
