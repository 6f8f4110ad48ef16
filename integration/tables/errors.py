"""The meaning of answers of Azure Tables.

Codes: https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
"""

import json
from typing import Final

from integration.errors import IntegrationError, Outage, Permanent, Throttled
from integration.transport import Response

SERVICE: Final = "ledger"
MISSING: Final = frozenset({"ResourceNotFound", "TableNotFound", "EntityNotFound"})
"""The codes of a 404 from Tables itself; any other 404 comes from something else."""


class EntityExists(IntegrationError):
    """409: an entity with these keys is there already."""

    reason = "entity-exists"


class PreconditionFailed(IntegrationError):
    """412: the entity was changed after it was read."""

    reason = "precondition-failed"


class TableRejected(Permanent):
    """The service refuses what we sent. That is a defect of this app, never an outage; trying again cannot help."""

    reason = "ledger-rejected"


def code_of(answer: Response) -> str:
    """The error code (`TableNotFound`, `EntityAlreadyExists`); empty if something other than Tables answered."""
    if code := answer.headers.get("x-ms-error-code"):
        return code
    try:
        error = json.loads(answer.body)["odata.error"]
        return str(error["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def table_failure(answer: Response) -> IntegrationError:
    """The error for an answer that is not a success.

    | answer                                                      | error                      |
    |-------------------------------------------------------------|----------------------------|
    | 412                                                         | PreconditionFailed         |
    | 409 EntityAlreadyExists                                     | EntityExists               |
    | 429, 503 with Retry-After                                   | Throttled                  |
    | 401, 403: the key or the role of the app                    | Outage `ledger-forbidden`  |
    | without a code of Tables: something else has answered       | Outage `ledger-unavailable`|
    | 408, other 409 (a table is being deleted), TableNotFound    | Outage `ledger-unavailable`|
    | 5xx                                                         | Outage `ledger-unavailable`|
    | other 4xx                                                   | TableRejected              |
    """
    code, status = code_of(answer), answer.status
    message = f"{SERVICE} answered {status} {code} to '{answer.request.operation}'"
    if status == 412:
        return PreconditionFailed(message, service=SERVICE)
    if status == 409 and code == "EntityAlreadyExists":
        return EntityExists(message, service=SERVICE)
    if status == 429 or (status == 503 and answer.retry_after is not None):
        return Throttled(message, reason="ledger-throttled", retry_after=answer.retry_after, service=SERVICE)
    if status in {401, 403}:
        return Outage(message, reason="ledger-forbidden", service=SERVICE)
    if not code or status >= 500 or status in {408, 409} or code == "TableNotFound":
        return Outage(message, reason="ledger-unavailable", service=SERVICE)
    return TableRejected(message, service=SERVICE)
