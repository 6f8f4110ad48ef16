"""HTTP requests and responses between front and function.

Sources: azure-functions-host GrpcMessageConversionExtensions.cs (both directions), HttpBinding.cs (text as a response).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.host.workers.protos import RpcHttp, TypedData


@dataclass(frozen=True, slots=True)
class HttpResult:
    """What the front sends back; `headers` may repeat a name (Set-Cookie)."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def request(
    method: str,
    url: str,
    *,
    headers: Iterable[tuple[str, str]],
    query: Iterable[tuple[str, str]],
    route_values: Mapping[str, str],
    body: bytes,
) -> TypedData:
    """An `RpcHttp`. Query parameters without a value are dropped; repeated ones are joined by commas."""
    message = RpcHttp(
        method=method,
        url=url,
        headers=_joined((name.lower(), value) for name, value in headers),
        query=_joined(pair for pair in query if pair[1]),
        params=dict(route_values),
        body=TypedData(bytes=body) if body else TypedData(),
    )
    return TypedData(http=message)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def result(value: TypedData) -> HttpResult:
    """What a function's return value becomes on the wire."""
    if value.kind == "http":
        return _response(value.http)
    return _from_text(str(value.string))


def _response(response: Any) -> HttpResult:
    headers = list(response.headers.items())
    headers += [("set-cookie", _cookie(cookie)) for cookie in response.cookies or ()]
    return HttpResult(int(response.status_code), headers, response.body.bytes)


def _cookie(cookie: Any) -> str:
    parts = [f"{cookie.name}={cookie.value}"]
    for attribute, name in (("domain", "domain"), ("path", "path"), ("max_age", "max-age")):
        nullable = getattr(cookie, attribute)
        if nullable is not None and nullable.value not in {None, ""}:
            value = nullable.value
            parts.append(f"{name}={int(value) if isinstance(value, float) else value}")
    if cookie.expires is not None:
        parts.append(f"expires={cookie.expires.value:%a, %d %b %Y %H:%M:%S GMT}")
    if cookie.secure is not None and cookie.secure.value:
        parts.append("secure")
    if cookie.http_only is not None and cookie.http_only.value:
        parts.append("httponly")
    if cookie.same_site:
        parts.append(f"samesite={('', 'lax', 'strict', 'none')[cookie.same_site]}")
    return "; ".join(parts)


def _from_text(text: str) -> HttpResult:
    """A function that returns `str`: a JSON object with a property `body` is treated as a response object."""
    content: Any = text
    try:
        content = json.loads(text)
    except ValueError:
        return HttpResult(200, [("content-type", "text/plain; charset=utf-8")], text.encode())
    status, headers = 200, []
    if isinstance(content, dict):
        fields = {name.lower(): value for name, value in content.items()}
        if "body" in fields:
            content = fields["body"]
            status = _status(fields)
            if isinstance(fields.get("headers"), dict):
                headers = [(name, str(value)) for name, value in fields["headers"].items()]
    if isinstance(content, str):
        kind, body = "text/plain; charset=utf-8", content
    else:
        kind, body = (
            "application/json; charset=utf-8",
            "" if content is None else json.dumps(content, ensure_ascii=False),
        )
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", kind))
    return HttpResult(status, headers, body.encode())


def _status(fields: Mapping[str, Any]) -> int:
    value = fields.get("statuscode", fields.get("status", 200))
    try:
        return int(value)
    except (TypeError, ValueError):
        return 200
