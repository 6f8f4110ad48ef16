"""JSON answers of the Web API."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.json_text import dumps


def json_answer(value: Mapping[str, Any], *, status: int = 200, etag: str | None = None) -> web.Response:
    """A JSON object; `etag` of the row that it shows."""
    headers = {"Content-Type": "application/json; odata.metadata=minimal"}
    if etag is not None:
        headers["ETag"] = etag
    return web.Response(body=dumps(dict(value)).encode(), status=status, headers=headers)
