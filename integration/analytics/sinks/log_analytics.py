"""The Azure Monitor sink: settled events into a custom table of a Log Analytics workspace (Logs Ingestion API).

A data collection rule of kind Direct takes them at its own endpoint. A request has a JSON array of at most 1 MB, and is
taken whole or not at all; a row that is sent again is there twice, so that readers drop duplicates by (HubPartition,
SequenceNumber). Sources: learn.microsoft.com, "Logs Ingestion API in Azure Monitor", "Azure Monitor service limits";
answers to requests that are too large and to callers without the role as quoted in issues of Azure's SDKs. Why not
Microsoft's client (azure-monitor-ingestion): it would bring a second transport and retry policy, it cuts by size before
it looks at single rows, and one row over the limit fails with all others of its request.
"""

import gzip
from collections.abc import Sequence
from typing import Final

from integration.analytics.columns import table_row
from integration.analytics.portions import ContentRefused, Portions
from integration.analytics.row import Row, encoded
from integration.analytics.sink import Receipt
from integration.errors import Outage, Throttled
from integration.transport import NO_CONTEXT, Authorizer, Request, Response, Sender

SERVICE: Final = "log-analytics"
SCOPE: Final = "https://monitor.azure.com/.default"
MOST_BYTES: Final = 1_000_000
"""Of one request before it is compressed; whether the limit of 1 MB holds before or after that is not documented."""
_VERSION: Final = "2023-01-01"
_HEADERS: Final = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
_TOO_MUCH_OR_WRONG: Final = frozenset({400, 413})
_TO_DO: Final = {
    401: "see LOG_ANALYTICS_CLIENT_ID",
    403: "the app needs the role Monitoring Metrics Publisher on the data collection rule, and it takes up to half an "
    "hour until a new role is known",
    404: "see LOG_ANALYTICS_RULE and LOG_ANALYTICS_STREAM",
}


class LogAnalyticsSink:
    """Sends batches to the stream of a data collection rule."""

    name = SERVICE

    def __init__(
        self,
        sender: Sender,
        authorizer: Authorizer,
        *,
        endpoint: str,
        rule: str,
        stream: str,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._sender = sender
        self._authorizer = authorizer
        base = endpoint.rstrip("/")
        self._url = f"{base}/dataCollectionRules/{rule}/streams/{stream}?api-version={_VERSION}"
        self._portions = Portions(_log, self._post, most_bytes)

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """Send the rows in requests that the rule takes."""
        return await self._portions.write(rows)

    async def _post(self, rows: Sequence[bytes]) -> None:
        body = gzip.compress(b"[" + b",".join(rows) + b"]", compresslevel=6, mtime=0)
        request = Request(SERVICE, "send rows", "POST", self._url, _HEADERS, body)
        answer = await self._sender.send(request, authorizer=self._authorizer, context=NO_CONTEXT)
        if answer.status in _TOO_MUCH_OR_WRONG:
            raise ContentRefused(f"Azure Monitor answered {answer.status}.")
        if not answer.ok:
            raise _refused(answer)


def _log(row: Row) -> bytes:
    """A row as the stream declares it; every table of Log Analytics has TimeGenerated."""
    values = table_row(row)
    time = values["SettledTime"] or values["EnqueuedTime"]
    return encoded({"TimeGenerated": time, **{name: value for name, value in values.items() if value is not None}})


def _refused(answer: Response) -> Outage:
    kind = Outage if answer.retry_after is None else Throttled
    to_do = f": {_TO_DO[answer.status]}" if answer.status in _TO_DO else ""
    return kind(
        f"Azure Monitor answered {answer.status}; the rows are sent again later{to_do}",
        reason="log-analytics-refused",
        service=SERVICE,
        retry_after=answer.retry_after,
    )
