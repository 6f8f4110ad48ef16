"""Events that do not fit into a message of the queue: what they carry waits in Blob Storage (claim check)."""

import asyncio
import dataclasses
import hashlib
import json
import random
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import requests
from azure.storage.blob import BlobServiceClient

from integration.clock import SystemClock
from integration.composition.services import build_services
from integration.settings import Settings
from sandbox.client import Client, StandIn, eventually
from sandbox.machine.ports import Ports, free_ports
from sandbox.repository import REPOSITORY
from sandbox.running import given_systems
from sandbox.running.endpoints import storage_connection
from tests.chaos.app import storage_proxy
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.scenario import Run, Scenario
from tests.chaos.scenarios.intake import INTAKE

_FLOWS: Final = Path(__file__).parents[1] / "large_flows"
_CONTAINER: Final = "claim-checks"
_NOTE_BYTES: Final = 210_000
"""More than MESSAGE_LIMIT_BYTES (196,608), and with all of the context less than the 256 KB that Dataverse sends."""
_PEOPLE: Final = 3
_FAULTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"drop": True},
    {"drop": True, "after": True},
    {"status": 503},
    {"status": 503, "after": True},
)
_NO_ROW: Final = "00000000-0000-0000-0000-000000000000"
_WELL: Final = ("completed", "superseded")
"""An event whose effect was done before a kill finds nothing left to do."""
_LATER: Final = timedelta(days=17)
"""After that the sweep also removes contents whose message was never sent."""


class _Later(SystemClock):
    def now(self) -> datetime:
        return super().now() + _LATER


def strike_claim_checks(run: Run) -> None:
    """Worker and intake are killed, and calls to Blob Storage are lost before and after they were done.

    Whoever has sent an event sends it again until it is accepted. In the end each has happened once with all that it
    carries, and nothing is kept for it after the sweep, which runs here as if 17 days had passed.
    """
    events, kills = run.size(150, 1_500), run.size(12, 120)
    ports, [port] = Ports.free(), free_ports(1)
    through = storage_connection(dataclasses.replace(ports, blob=port))
    with (
        storage_proxy.before(f"http://127.0.0.1:{ports.blob}", port) as blobs,
        running(
            run.folder / "sandbox",
            {"AzureWebJobsStorage": through},
            ports=ports,
            app=_app(run.folder / "app"),
            systems=given_systems.read('{"loyalty": {"adapter": "rest"}}'),
        ) as bench,
    ):
        may_send, nemesis = threading.Semaphore(0), Nemesis(bench, bench.client(), run.rng)
        people = [_Sender(bench, range(number, events, _PEOPLE), may_send) for number in range(_PEOPLE)]
        for it in people:
            it.start()
        most = 0
        for number in range(kills):
            run.show(number * events // kills, f"{number} of {kills} kills", total=events)
            may_send.release(max(1, events // kills))
            _strike(run.seed + number, nemesis, blobs)
            most = max(most, len(_kept(bench)))
        may_send.release(events)
        for it in people:
            it.join()
        nemesis.heal()
        blobs.clear_faults()
        accepted = {number: event for it in people for number, event in it.accepted.items()}
        client = bench.client()
        states = _settled(client, accepted, run)
        done = [it for it in client.others["loyalty"].effects() if it["system"] == "loyalty"]
        before = _kept(bench)
        removed = asyncio.run(_sweep(bench))
        left = _kept(bench)
    judge_large(run, states, done, left, events=events)
    struck = Counter(it.partition(" ")[0] for it in nemesis.strikes)
    run.figure(kills=struck["kill"], faults_of_blob_storage=struck["blobs:"])
    run.figure(most_kept_at_once=most, kept_until_the_sweep=len(before), removed_by_the_sweep=removed)
    run.demand(most, "nothing was ever kept in Blob Storage")
    run.demand(struck["kill"] >= kills, f"there were {struck['kill']} kills, not {kills}")


class _Sender(threading.Thread):
    """Sends calls with large notes as Dataverse does, each again until it is accepted; each when it `may_send`."""

    def __init__(self, bench: Bench, numbers: range, may_send: threading.Semaphore) -> None:
        super().__init__(daemon=True)
        self._client, self._numbers, self._may_send = bench.client(), numbers, may_send
        self.accepted: dict[int, str] = {}

    def run(self) -> None:
        for number in self._numbers:
            self._may_send.acquire()
            body = json.dumps(_call(number)).encode()
            taken = eventually(partial(self._post, body), within=300, what=f"202 for call {number}")
            self.accepted[number] = taken

    def _post(self, body: bytes) -> str | None:
        """The id of the event, where it was accepted."""
        try:
            answer = self._client.app.post_webhook(body)
        except requests.RequestException:
            return None
        return str(answer.json()["eventId"]) if answer.status_code == requests.codes.accepted else None


def _strike(seed: int, nemesis: Nemesis, blobs: StandIn) -> None:
    """Some calls to Blob Storage are lost, and a moment later the worker or the intake is killed, by turns."""
    rng = random.Random(seed)  # noqa: S311 -- repeatable
    method, fault = rng.choice(("PUT", "GET", "DELETE")), rng.choice(_FAULTS)
    blobs.add_fault(f"{method} .*{_CONTAINER}/.*", times=rng.randrange(1, 5), **fault)
    nemesis.strikes.append(f"blobs: {method} {fault}")
    time.sleep(rng.uniform(0, 1))
    nemesis.kill(WORKER if seed % 2 else INTAKE)


def _settled(client: Client, accepted: Mapping[int, str], run: Run) -> Counter[str]:
    """How many events are in which state, once none is under way any more."""
    found: dict[str, str] = {}

    def all_ended() -> bool:
        for event_id in set(accepted.values()) - found.keys():
            state = (client.app.operation(event_id) or {}).get("state", "unknown")
            if state in {"completed", "superseded", "dead-lettered", "no-handler"}:
                found[event_id] = state
        run.show(len(found), "have ended", total=len(accepted))
        return len(found) == len(accepted)

    eventually(all_ended, within=300, what="the end of all events")
    return Counter(found.values())


def judge_large(run: Run, states: Counter[str], done: list[dict[str, Any]], left: set[str], *, events: int) -> None:
    """How the accepted events have ended, what the system says was done, and what is left in Blob Storage."""
    times = Counter(it["path"] for it in done)
    given = {it["path"]: _hash(it["body"].get("note", "")) for it in done}
    expected = {f"purchases/P-{number}": _hash(note_of(number)) for number in range(events)}
    missing, twice = expected.keys() - times.keys(), [path for path, many in times.items() if many > 1]
    wrong = [path for path in given if given[path] != expected.get(path)]
    run.figure(events=events, lost=len(missing), done_twice=len(twice), kept_in_the_end=len(left))
    ended = sum(states[it] for it in _WELL)
    run.demand(ended == events, f"of {events} events, {ended} have ended well: {dict(states)}")
    run.demand(not missing, f"{len(missing)} events were never done")
    run.demand(not twice, f"done more than once: {twice[:5]}")
    run.demand(not wrong, f"not all that their events carry: {wrong[:5]}")
    run.demand(not left, f"{len(left)} blobs are left for events that have ended: {sorted(left)[:5]}")


def _app(folder: Path) -> Path:
    """The app of the repository, with one more flow."""
    folder.mkdir()
    shutil.copy(REPOSITORY / "host.json", folder)
    lines = (
        "import runpy",
        "import integration.flows",
        f"integration.flows.__path__.append({str(_FLOWS)!r})",
        f"app = runpy.run_path({str(REPOSITORY / 'function_app.py')!r})['app']",
    )
    (folder / "function_app.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _call(number: int) -> dict[str, Any]:
    """The context of a call of the custom API, which is the same however often it is sent."""
    operation = str(uuid.uuid5(uuid.NAMESPACE_OID, f"large-{number}"))
    return {
        "MessageName": "new_LargePurchase",
        "PrimaryEntityName": "none",
        "PrimaryEntityId": _NO_ROW,
        "OperationId": operation,
        "CorrelationId": operation,
        "RequestId": operation,
        "OperationCreatedOn": f"/Date({1_795_694_507_000 + number})/",
        "OrganizationId": "22222222-bbbb-4bbb-8bbb-222222222222",
        "OrganizationName": "unqsandbox",
        "UserId": "d0d0d0d0-0000-4000-8000-00000000d0d0",
        "InitiatingUserId": "d0d0d0d0-0000-4000-8000-00000000d0d0",
        "BusinessUnitId": "33333333-cccc-4ccc-8ccc-333333333333",
        "Depth": 1,
        "Mode": 1,
        "Stage": 40,
        "IsInTransaction": False,
        "InputParameters": [{"key": "Number", "value": f"P-{number}"}, {"key": "Note", "value": note_of(number)}],
        "OutputParameters": [],
        "SharedVariables": [],
        "PreEntityImages": [],
        "PostEntityImages": [],
        "ParentContext": None,
    }


def note_of(number: int) -> str:
    """What event `number` carries: a text of its own."""
    line = f"purchase {number}: "
    return line * (_NOTE_BYTES // len(line))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(bench: Bench) -> set[str]:
    """What is in the container; nothing is there yet where no event was too large."""
    container = BlobServiceClient.from_connection_string(bench.endpoints.storage).get_container_client(_CONTAINER)
    return {str(name) for name in container.list_blob_names()} if container.exists() else set()


async def _sweep(bench: Bench) -> int:
    """The sweep of the app, later."""
    settings = Settings.from_environment(bench.sandbox.app_settings)
    return await build_services(settings, clock=_Later()).claim_sweep.run()


SCENARIOS = [
    Scenario(
        "large-events",
        "Events that fit into no message: worker and intake are killed, and Blob Storage loses calls.",
        3,
        20,
        strike_claim_checks,
    ),
]
