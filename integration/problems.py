"""Errors as HTTP responses: RFC 9457 problems that say what is wrong and where."""

import json
import math
from collections.abc import Mapping
from typing import Any

import azure.functions as func

from integration.errors import Rejected, Unavailable

_MEDIA_TYPE = "application/problem+json"
_KEY = 'ApiKey realm="integration"'
_CHALLENGES = {"token-refused": 'Bearer realm="integration", error="invalid_token"'}
"""What RFC 6750 (3.1) has the answer say of a token, by reason."""


def rejected(error: Rejected) -> func.HttpResponse:
    """400, 401, 403, 404, 411, 413, 415 or 429: says what has to change before the request is sent again."""
    body: dict[str, Any] = {"title": error.title, "status": error.status, "detail": error.detail}
    if error.faults:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.faults]
    headers = {"WWW-Authenticate": _CHALLENGES.get(error.reason, _KEY)} if error.status == 401 else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return _problem(body, headers)


def unavailable(error: Unavailable) -> func.HttpResponse:
    """503: the only status after which Dataverse sends once more."""
    body = {"title": error.title, "status": 503, "detail": str(error)}
    return _problem(body, {"Retry-After": str(math.ceil(error.retry_after))})


def _problem(body: dict[str, Any], headers: Mapping[str, str]) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps({"type": "about:blank", **body}), status_code=body["status"], mimetype=_MEDIA_TYPE, headers=headers
    )
