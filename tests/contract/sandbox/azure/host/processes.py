"""What the host's tests start and talk to."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from azure.eventhub import EventData, EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from sandbox.machine.process import HttpProbe
from sandbox.repository import REPOSITORY

APPS = Path(__file__).parent / "apps"
PATIENCE = 60.0  # seconds; only what fails takes so long, and a busy machine may need them

Record = dict[str, Any]


def wait_until(what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.03)
    raise AssertionError(f"waited {seconds} s for {what}")


def alive(pid: int) -> bool:
    """Whether a process of this machine runs; one that nobody has waited for does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@dataclass
class HostProcess:
    """A host that was started; `records` is what its functions were given."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    probe: Path
    http: requests.Session = field(default_factory=requests.Session)
    _records: list[Record] = field(default_factory=list)
    _read: int = 0

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.http.get(self.url + path, timeout=PATIENCE, **options)

    def post(self, path: str, body: bytes | str | Iterator[bytes] = b"", **options: Any) -> requests.Response:
        return self.http.post(self.url + path, data=body, timeout=PATIENCE, **options)

    def text(self) -> str:
        return self.log.read_text()

    def records(self, function: str, **values: Any) -> list[Record]:
        """What was recorded for one function, and of that what has these values."""
        self._read_probe()
        return [
            one
            for one in self._records
            if one["function"] == function and all(one.get(name) == value for name, value in values.items())
        ]

    def _read_probe(self) -> None:
        """Take what has been written since the last time, up to the last whole line."""
        if self.probe.exists():
            with self.probe.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                self._records += [json.loads(line) for line in whole.split(b"\n")]

    def wait_for(self, function: str, count: int = 1, seconds: float = PATIENCE, **values: Any) -> list[Record]:
        def enough() -> list[Record] | None:
            found = self.records(function, **values)
            return found if len(found) >= count else None

        found: list[Record] = wait_until(f"{count} runs of {function} with {values}", enough, seconds)
        return found

    def invocations(self, function: str) -> int:
        """How often a function was called; 0 also before its first call, when there are no counters of it yet."""
        counters = self.get("/admin/stats").json()["functions"].get(function, {})
        return int(counters.get("invocations", 0))

    def cpu_seconds(self) -> float:
        used: float = self.get("/admin/stats").json()["processSeconds"]
        return used

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


StartHost = Callable[..., HostProcess]


def most_at_once(runs: Sequence[Record]) -> int:
    """How many of these runs were under way at the same time, at most; each was recorded at its end."""
    return max(len([one for one in runs if one["started"] <= run["started"] < one["at"]]) for run in runs)


@dataclass
class Broker:
    """A broker that was started."""

    port: int
    http_port: int
    tls_port: int
    ca_file: Path
    command: list[str]
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def connection(self) -> str:
        return (
            f"Endpoint=sb://localhost:{self.port};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
        )

    @property
    def secure_settings(self) -> dict[str, str]:
        """The app's connection as a real namespace has it, and the authority to trust."""
        connection = (
            f"Endpoint=sb://localhost:{self.tls_port}/;SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE"
        )
        return {"ServiceBus": connection, "SSL_CERT_FILE": str(self.ca_file)}

    def control(self, method: str, path: str, **sent: Any) -> Any:
        answer = requests.request(method, f"http://127.0.0.1:{self.http_port}/control/{path}", timeout=PATIENCE, **sent)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def queue(self, name: str) -> dict[str, int]:
        counts: dict[str, int] = self.control("GET", "entities")["queues"][name]
        return counts

    def restart(self, pause: float = 0.0) -> None:
        self.process.kill()
        self.process.wait(10)
        time.sleep(pause)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own
        wait_until("the broker", HttpProbe(f"http://127.0.0.1:{self.http_port}/health"))


class Senders:
    """One sender for each entity, kept open: opening one takes the SDK half a second."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._client = ServiceBusClient.from_connection_string(connection)
        self._senders: dict[str, ServiceBusSender] = {}

    def send(self, entity: str, *messages: ServiceBusMessage, topic: bool = False) -> None:
        if entity not in self._senders:
            make = self._client.get_topic_sender if topic else self._client.get_queue_sender
            self._senders[entity] = make(entity)
        self._senders[entity].send_messages(list(messages))

    def close(self) -> None:
        self._client.close()


class Hubs:
    """One producer for each hub, kept open."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._producers: dict[str, EventHubProducerClient] = {}

    def send(self, hub: str, *bodies: str, partition: str = "0", key: str | None = None) -> None:
        if hub not in self._producers:
            made = EventHubProducerClient.from_connection_string(self._connection, eventhub_name=hub)
            self._producers[hub] = made
        events: list[EventData | AmqpAnnotatedMessage] = []
        for number, body in enumerate(bodies):
            event = EventData(body)
            event.properties = {"number": number}
            events.append(event)
        if key:
            self._producers[hub].send_batch(events, partition_key=key)
        else:
            self._producers[hub].send_batch(events, partition_id=partition)

    def close(self) -> None:
        for producer in self._producers.values():
            producer.close()


def bodies(host: HostProcess) -> list[str]:
    """Of all events that the events app has seen."""
    return [item["body"] for batch in host.records("sink") for item in batch["items"]]
