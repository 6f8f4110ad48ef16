"""Who may read and write virtual tables, and the service behind that."""

from collections.abc import Collection, Mapping, Sequence

import azure.functions as func
from pydantic import SecretStr

from integration.admission import CallerKeys, Rates
from integration.admission.keys import KEY_PARAMETER
from integration.clock import Clock
from integration.errors import Rejected
from integration.public_address import PublicAddress
from integration.telemetry import get_logger
from integration.virtual_tables.answers import Answer, problem
from integration.virtual_tables.service import ODataRequest, Service

_OURS = frozenset({KEY_PARAMETER})
_WRITES = frozenset({"POST", "PATCH", "PUT", "MERGE", "DELETE"})
_log = get_logger(__name__)


class Site:
    """Admits requests and has them answered. `writers` are the callers that may do more than read."""

    def __init__(  # noqa: PLR0917 -- called once
        self,
        service: Service,
        keys: Mapping[str, Sequence[SecretStr]],
        writers: Collection[str],
        requests_per_minute: int,
        address: PublicAddress,
        clock: Clock,
    ) -> None:
        self._service = service
        self._keys = CallerKeys(keys, clock=clock)
        self._writers = frozenset(writers)
        self._rates = Rates(clock)
        self._most = requests_per_minute
        self._address = address

    async def answer(self, req: func.HttpRequest) -> func.HttpResponse:
        """The answer to a request."""
        headers = {name.lower(): value for name, value in req.headers.items()}
        caller, method = "unknown", _method(req.method, headers)
        try:
            caller = self._keys.admit(headers, req.params)
            self._rates.count(f"caller {caller}", self._most, "VIRTUAL_TABLE_REQUESTS")
        except Rejected as error:
            _log.warning("virtual-table-refused", caller=caller, reason=error.reason, status=error.status)
            return _as_http(
                problem(error.status, error.reason, error.detail, reference=caller, retry_after=error.retry_after)
            )
        request = ODataRequest(
            method, req.url, f"{self._address.of_app(req.url, headers)}/api/odata/", headers, req.get_body(), _OURS
        )
        answer = await self._service.answer(request, caller=caller, may_write=caller in self._writers)
        if method in _WRITES:
            _log.info("virtual-table-written", caller=caller, status=answer.status, operation=method)
        return _as_http(answer)


def _method(method: str, headers: Mapping[str, str]) -> str:
    """MERGE, and any other method, may come as POST with a header (OData before 4.0); the host takes no MERGE."""
    return headers.get("x-http-method", method).upper() if method == "POST" else method


def _as_http(answer: Answer) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, mimetype=answer.media_type or None, headers=dict(answer.headers)
    )
