"""Answers of the Web API: JSON objects, and single values as text."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.json_text import dumps


def value_answer(value: Any) -> web.Response:
    """The value of a property alone, as text (`$value`); 204 for null."""
    if value is None:
        return web.Response(status=204)
    return web.Response(text=str(value).lower() if isinstance(value, bool) else str(value))


def json_answer(value: Mapping[str, Any], *, status: int = 200, etag: str | None = None) -> web.Response:
    """A JSON object; `etag` of the row that it shows."""
    headers = {"Content-Type": "application/json; odata.metadata=minimal"}
    if etag is not None:
        headers["ETag"] = etag
    return web.Response(body=dumps(dict(value)).encode(), status=status, headers=headers)
