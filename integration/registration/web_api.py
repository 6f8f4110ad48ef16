"""The calls that registration makes to the Dataverse Web API.

Messages of Dataverse are passed on here, other than in the app: whoever registers has to know what is wrong, and
metadata hold no business data. Only calls that carry a secret report no text.
"""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from integration.dataverse.errors import SERVICE, dataverse_failure, error_of
from integration.errors import Conflict, IntegrationError, NotFound, Permanent, Throttled, Transient
from integration.odata import encode
from integration.transport import NO_CONTEXT, Authorizer, Request, Response, RetryPolicy, Sender

_HEADERS = {"OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"}
_RETRIES = RetryPolicy(first_delay=timedelta(seconds=1), cap=timedelta(seconds=20), max_attempts=4)


class WebApi:
    """The Web API of one environment, as somebody who may customise it. `solution` is that of what is written."""

    def __init__(self, sender: Sender, tokens: Authorizer, base_url: str, *, retries: RetryPolicy = _RETRIES) -> None:
        self._sender, self._tokens, self._retries = sender, tokens, retries
        self.url = base_url.rstrip("/")
        self._api = f"{self.url}/api/data/v9.2/"
        self.solution: str | None = None

    async def get(self, path: str) -> Any:
        """The answer's JSON; None where Dataverse says that there is nothing of the kind."""
        answer = await self._send("GET", path)
        return None if answer is None else answer.json()

    async def rows(self, path: str) -> list[dict[str, Any]]:
        """All rows of a collection, over all its pages."""
        found: list[dict[str, Any]] = []
        while path:
            page = await self.get(path)
            if page is None:
                raise Permanent(f"Dataverse has no {path.partition('?')[0]}", reason="dataverse-rejected")
            found += page["value"]
            path = str(page.get("@odata.nextLink", "")).removeprefix(self._api)
        return found

    async def create(self, path: str, body: Mapping[str, Any], *, secret: bool = False) -> None:
        """Create the row that `path` names by its id; `Conflict` where it is there already."""
        await self._send("PATCH", path, body, {"If-None-Match": "*"}, secret=secret)

    async def update(self, path: str, body: Mapping[str, Any], *, secret: bool = False) -> None:
        """Change a row that is there; `NotFound` without it."""
        if await self._send("PATCH", path, body, {"If-Match": "*"}, secret=secret) is None:
            raise NotFound(f"{path} does not exist any more", service=SERVICE)

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Add a definition, or call an action. It is sent once only."""
        if await self._send("POST", path, body) is None:
            raise NotFound(f"Dataverse has no {path}", service=SERVICE)

    async def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Replace a definition; labels in other languages stay."""
        if await self._send("PUT", path, body, {"MSCRM.MergeLabels": "true"}) is None:
            raise NotFound(f"{path} does not exist any more", service=SERVICE)

    async def change_definition(self, path: str, settings: Mapping[str, Any]) -> None:
        """Change settings of a table or a column: a PUT takes the whole definition, with its type and as it is read."""
        there = await self.get(path)
        definition = {name: it for name, it in there.items() if not name.startswith("@") or name == "@odata.type"}
        await self.put(path, definition | dict(settings))

    async def delete(self, path: str) -> None:
        """Delete; what does not exist any more counts as deleted."""
        await self._send("DELETE", path)

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        secret: bool = False,
    ) -> Response | None:
        """The answer, None for 404; what may be sent twice is, after failures that may pass."""
        sent = {**_HEADERS, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        if self.solution is not None and method != "GET":
            sent["MSCRM.SolutionUniqueName"] = self.solution
        content = None if body is None else encode(body).encode()
        operation = f"{method} {path.partition('?')[0]}"
        request = Request(SERVICE, operation, method, self._api + path, sent, content)
        attempt = 1
        while True:
            try:
                answer = await self._sender.send(request, authorizer=self._tokens, context=NO_CONTEXT)
                if answer.status == 404 and error_of(answer) is not None:
                    return None
                if answer.ok:
                    return answer
                raise _failure(answer, secret=secret)
            except Transient as error:
                delay = self._retries.next_delay(attempt, timedelta(0), error.retry_after, random.random)
                if delay is None or (method in {"POST", "PATCH"} and not isinstance(error, Throttled)):
                    raise
                await asyncio.sleep(delay.total_seconds())
                attempt += 1


def _failure(answer: Response, *, secret: bool) -> IntegrationError:
    error = error_of(answer)
    operation = answer.request.operation
    if answer.status == 412:
        return Conflict(f"{operation}: somebody has changed it meanwhile; plan again", service=SERVICE)
    found = dataverse_failure(answer)
    forbidden = answer.status == 403  # for the app that may pass, once somebody gives it the privilege
    if error is None or secret or (isinstance(found, Transient) and not forbidden):
        return found
    said = f"Dataverse refused '{operation}' ({answer.status}, {error.code}): {error.message}"
    return Permanent(said, reason="dataverse-rejected", service=SERVICE)
