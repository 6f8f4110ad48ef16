"""System jobs: asynchronous steps run after the commit, at the same time, in any order.

A job is stored in the transaction of the change that caused it, so it survives the process being killed.
"""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

from sandbox.systems.dataverse import managed_identity, service_bus, values, webhook
from sandbox.systems.dataverse.change import NO_ROW, Change
from sandbox.systems.dataverse.context import Contexts, Step
from sandbox.systems.dataverse.service_bus import ServiceBus
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.webhook import Outcome, Webhooks

log = logging.getLogger("sandbox.systems.dataverse.jobs")

READY, LOCKED, COMPLETED = 0, 2, 3
WAITING, IN_PROGRESS, SUCCEEDED, FAILED = 0, 20, 30, 31
ASYNCHRONOUS, SYNCHRONOUS = 1, 0
WORKERS = 32
REMEMBERED_EVENTS = 10_000


class Jobs:
    """Stores, runs and reports system jobs."""

    def __init__(
        self, store: Store, contexts: Contexts, webhooks: Webhooks, buses: ServiceBus, organisation_host: str
    ) -> None:
        self._store, self._contexts, self._host = store, contexts, organisation_host
        self._webhooks, self._buses = webhooks, buses
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    def store(self, change: Change, step: Step) -> str:
        """Store the job, within the transaction of the change; returns its id."""
        job_id, at = values.new_guid(), datetime.now(UTC)
        headers, body = self._message(change, step, self._contexts.build(change, step, job_id, at))
        self._write_down(job_id, change, step, headers, body)
        job = {
            "name": step.name,
            "messagename": change.message,
            "operationtype": 1,
            "primaryentitytype": change.table.name,
            "statecode": READY,
            "statuscode": WAITING,
            "retrycount": 0,
            "depth": 1,
            "requestid": change.request.ids.request,
            "correlationid": change.request.ids.correlation,
            "createdon": values.now(),
            "owningextensionid": {"table": "sdkmessageprocessingstep", "id": step.id},
            "regardingobjectid": None if change.row_id == NO_ROW else {"table": change.table.name, "id": change.row_id},
            "ownerid": {"table": "systemuser", "id": change.request.user.user_id},
        }
        self._store.put("asyncoperation", job_id, job)
        return job_id

    def run(self, job_ids: list[str]) -> None:
        """After the commit: hand stored jobs to the workers."""
        for job_id in job_ids:
            self._queue.put_nowait(job_id)

    async def call_now(self, change: Change, step: Step) -> Outcome:
        """A synchronous step: call within the transaction and wait for the answer."""
        operation_id, at = change.request.ids.request, datetime.now(UTC)
        headers, body = self._message(change, step, self._contexts.build(change, step, operation_id, at))
        job_id = values.new_guid()
        self._write_down(job_id, change, step, headers, body, running=True)
        outcome = await self._call(step.endpoint_id, headers, body)
        self._report(job_id, outcome)
        return outcome

    async def start(self) -> None:
        """Start the workers and take up what was pending when the process ended."""
        database = self._store.database
        database.execute("UPDATE jobs SET outcome = ? WHERE outcome IS NULL AND mode = ?", (FAILED, SYNCHRONOUS))
        for job in database.execute("SELECT id FROM jobs WHERE outcome IS NULL ORDER BY seq").fetchall():
            self._queue.put_nowait(job["id"])
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]

    async def stop(self) -> None:
        """Stop the workers; what they had not finished stays pending."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._webhooks.close()
        await self._buses.close()

    async def quiet(self) -> None:
        """Wait until no job is pending."""
        await self._queue.join()

    def events(self, *, after: int, limit: int) -> list[dict[str, Any]]:
        """What was published after event number `after`, oldest first, with every answer."""
        found = self._store.database.execute("SELECT * FROM jobs WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [
            {
                "seq": job["seq"],
                "at": job["created"],
                "job": job["id"],
                "step": job["step"],
                "mode": job["mode"],
                "message": job["message"],
                "table": job["tbl"],
                "id": job["row_id"],
                "statuscode": WAITING if job["outcome"] is None else job["outcome"],
                "attempts": json.loads(job["attempts"]),
                "headers": json.loads(job["headers"]),
                "body": job["body"] if job["body"].startswith("<") else json.loads(job["body"]),
            }
            for job in found
        ]

    def forget_events(self) -> None:
        """Delete finished events from the list of events."""
        self._store.database.execute("DELETE FROM jobs WHERE outcome IS NOT NULL")

    def _write_down(
        self, job_id: str, change: Change, step: Step, headers: dict[str, str], body: str, *, running: bool = False
    ) -> None:
        written = self._store.database.execute(
            "INSERT INTO jobs (id, step, created, mode, message, tbl, row_id, headers, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                job_id,
                step.id,
                datetime.now(UTC).isoformat(),
                SYNCHRONOUS if running else ASYNCHRONOUS,
                change.message,
                change.table.name,
                change.row_id,
                json.dumps(headers),
                body,
            ),
        )
        oldest = (written.lastrowid or 0) - REMEMBERED_EVENTS
        if oldest % REMEMBERED_EVENTS == 0:
            self._store.database.execute("DELETE FROM jobs WHERE outcome IS NOT NULL AND seq <= ?", (oldest,))

    async def _work(self) -> None:
        while True:
            job_id = await self._queue.get()
            try:
                await self._run(job_id)
            except Exception:
                log.exception("system job %s", job_id)
            finally:
                self._queue.task_done()

    async def _run(self, job_id: str) -> None:
        job = self._store.database.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        step = self._store.get("sdkmessageprocessingstep", job["step"])
        if step is None:
            deleted = [{"at": datetime.now(UTC).isoformat(), "error": "The step no longer exists."}]
            self._finish(job_id, Outcome(succeeded=False, attempts=deleted), auto_delete=False)
            return
        self._progress(job_id, {"statecode": LOCKED, "statuscode": IN_PROGRESS, "startedon": values.now()})
        outcome = await self._call(step.values["eventhandler"]["id"], json.loads(job["headers"]), job["body"])
        self._finish(job_id, outcome, auto_delete=bool(step.values.get("asyncautodelete")))

    async def _call(self, endpoint_id: str, headers: dict[str, str], body: str) -> Outcome:
        endpoint = self._store.get("serviceendpoint", endpoint_id)
        if endpoint is None:
            deleted = {"at": datetime.now(UTC).isoformat(), "error": "The service endpoint no longer exists."}
            return Outcome(succeeded=False, attempts=[deleted])
        if endpoint.values["contract"] in service_bus.CONTRACTS:
            identity = managed_identity.of_endpoint(endpoint.values, self._store)
            return await self._buses.call(endpoint.values, headers, body, identity=identity)
        return await self._webhooks.call(endpoint.values, headers, body)

    def _message(self, change: Change, step: Step, context: dict[str, Any]) -> tuple[dict[str, str], str]:
        endpoint = self._store.get("serviceendpoint", step.endpoint_id)
        if endpoint is not None and endpoint.values["contract"] in service_bus.CONTRACTS:
            return service_bus.message(change, context, self._host, endpoint.values)
        return webhook.message(change, context, self._host)

    def _finish(self, job_id: str, outcome: Outcome, *, auto_delete: bool) -> None:
        with self._store.transaction():
            self._report(job_id, outcome)
            if outcome.succeeded and auto_delete:
                self._store.remove("asyncoperation", job_id)
                return
            ended: dict[str, Any] = {"statecode": COMPLETED, "completedon": values.now()}
            ended["retrycount"] = len(outcome.attempts) - 1
            if outcome.succeeded:
                ended["statuscode"] = SUCCEEDED
            else:
                ended |= {"statuscode": FAILED, "message": outcome.message, "friendlymessage": outcome.message}
            self._progress(job_id, ended)

    def _report(self, job_id: str, outcome: Outcome) -> None:
        self._store.database.execute(
            "UPDATE jobs SET outcome = ?, attempts = ? WHERE id = ?",
            (SUCCEEDED if outcome.succeeded else FAILED, json.dumps(outcome.attempts), job_id),
        )

    def _progress(self, job_id: str, changes: dict[str, Any]) -> None:
        row = self._store.get("asyncoperation", job_id)
        if row is not None:
            self._store.put("asyncoperation", job_id, row.values | changes)
