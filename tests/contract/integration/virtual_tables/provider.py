"""The virtual tables over a stand-in, as a client asks them, and the rows that the stand-in then has."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from integration.ledger.audit_log import AuditLog
from integration.operations.audit import Audit
from integration.systems.odata.adapter import ErpAdapter
from integration.systems.odata.keys import number_of
from integration.systems.rest import ErpClient
from integration.tables import Entity
from integration.virtual_tables import sets
from integration.virtual_tables.answers import Answer
from integration.virtual_tables.discovery import sets_in
from integration.virtual_tables.service import ODataRequest, Served, Service
from tests.contract.integration.systems.subjects import MovedClock, Subject
from tests.memory_table import ManualClock, MemoryLedger

ROOT = "https://app.example/api/odata/"


@dataclass
class Provider:
    """Asks the service in one event loop; nothing is kept between two questions."""

    subject: Subject
    customers: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._clock = MovedClock()
        self._runner.run(self._build())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self.subject.transport.aclose())
        self._runner.close()

    async def _build(self) -> None:
        adapter, _ = self.subject.adapters()
        assert isinstance(adapter, ErpAdapter | ErpClient)
        kind = "rest-erp" if isinstance(adapter, ErpClient) else self.subject.name
        served = [it.of(kind) for it in sets_in(sets).values()]
        numbers: Callable[[str], str] | None = None
        if kind == "business-central":
            numbers = lambda key: number_of(key, "CRM-")  # noqa: E731 -- what composition gives it
        self.ledger = MemoryLedger(ManualClock())
        audit = Audit(self.ledger, self._clock)
        self.service = Service(
            [Served.of(it, kind, adapter.tables, numbers) for it in served if it], self._clock, audit
        )

    def ask(
        self,
        path: str,
        options: Mapping[str, object] | None = None,
        *,
        method: str = "GET",
        body: object = None,
        may_write: bool = True,
        **headers: str,
    ) -> Answer:
        """The answer; header names with `_` for `-`."""
        query = "&".join(f"{quote(name)}={quote(str(value))}" for name, value in (options or {}).items())
        return self.ask_url(
            f"{ROOT}{path}?{query}".removesuffix("?"), method=method, body=body, may_write=may_write, **headers
        )

    def ask_url(
        self, url: str, *, method: str = "GET", body: object = None, may_write: bool = True, **headers: str
    ) -> Answer:
        """The answer for a whole address."""
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._clock.move(61)
        return self._runner.run(
            self.service.answer(ODataRequest(method, url, ROOT, named, sent), caller="dataverse", may_write=may_write)
        )

    def rows(self, path: str, options: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The rows of an answer that is none but 200."""
        answer = self.ask(path, options)
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = json.loads(answer.body)["value"]
        return found

    def audited(self) -> list[Entity]:
        """The entries of the audit, newest first."""
        log = AuditLog(self.ledger, self._clock)
        return self._runner.run(log.page(f"{self._clock.now():%Y%m}")).entries

    def error(self, path: str, options: Mapping[str, object] | None = None, **more: Any) -> tuple[int, str]:
        """Status and code of an error."""
        answer = self.ask(path, options, **more)
        return answer.status, json.loads(answer.body)["error"]["code"]
