"""Answers of the operations routes: JSON, or an RFC 9457 problem."""

import json
from collections.abc import Awaitable, Callable, Mapping

import azure.functions as func

from integration.errors import Rejected, Transient, Unavailable
from integration.problems import rejected, unavailable
from integration.telemetry import get_logger

_log = get_logger(__name__)


async def answered(ask: Callable[[], Awaitable[func.HttpResponse]], *, away: str, defect: str) -> func.HttpResponse:
    """What `ask` answers, or why it could not; `away` and `defect` say what the caller is to do then.

    Never 500: whoever polls gives up on it.
    """
    try:
        return await ask()
    except Rejected as error:
        return rejected(error)
    except Unavailable as error:
        _log.warning("operations-unavailable", error=error)
        return unavailable(error)
    except Transient as error:
        _log.warning("operations-unavailable", error=error)
        return unavailable(Unavailable(f"{away} ({error.reason}).", retry_after=5))
    except Exception as error:  # noqa: BLE001 -- a defect of ours is no answer for a caller
        _log.error("status-failed", error=error)
        return unavailable(Unavailable(defect))


def as_json(
    body: Mapping[str, object], status_code: int, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """A JSON object that nobody keeps."""
    return func.HttpResponse(
        json.dumps(body),
        status_code=status_code,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
