"""Registers the app's columns, webhook and steps in the Dataverse stand-in, as in a real environment.

`run.py dataverse apply` does it, in a process of its own as the app does not know its sandbox. It takes more time to
start than to call the stand-in, so it runs while the hosts start.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.programs import PREFIX
from sandbox.systems.dataverse import declared_flows

_TIMEOUT = 10.0
_SECONDS = 120.0
_KEY, _ODATA_KEY, _SECRET = "SANDBOX_WEBHOOK_KEY", "SANDBOX_VIRTUAL_TABLES_KEY", "SANDBOX_DATAVERSE_SECRET"
_MORE_IS_THERE = 2
"""The exit status where a flow has been removed: what it needed is not deleted from a sandbox."""
_NAMESPACE = uuid.UUID("6f1b8f0e-6c8f-4d0c-9a55-3f0b2f5f8c11")
"""Of the ids that the app's registration gives (integration/registration/items.py)."""


class RegistrationError(Exception):
    """The registration failed; the message has what it said."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message of one table that is sent to the webhook."""

    table: str
    message: str
    filtering_attributes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id that the app's registration gives it, in every environment."""
        return str(uuid.uuid5(_NAMESPACE, f"step.{self.table}.{self.message}"))


def steps() -> Iterator[Step]:
    """The steps that the app's flows need.

    An Update is sent when it touches one of the filtering attributes. Result columns are not among them: a write-back
    fires nothing.
    """
    for flow in declared_flows.flows():
        for message in flow.messages:
            yield Step(flow.table, message, flow.filtering_attributes if message == "Update" else ())


class Registering:
    """A registration under way; `folder` gets the file with the environment's values.

    What the app serves as virtual tables is asked of the app; `serves` says whether there will be one.
    """

    def __init__(self, reached: Endpoints, folder: Path, *, serves: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        values = values_file(folder)
        values.write_text(_values(reached, serves=serves), encoding="utf-8")
        secrets = {
            _KEY: reached.webhook_key,
            _ODATA_KEY: reached.virtual_tables_key,
            _SECRET: reached.dataverse_person.secret,
        }
        # A state directory of an earlier version has registrations without the app's mark: they are adopted.
        apply = ("apply", "--environment", str(values), "--sign-in", "client-secret", "--adopt", "--auto-approve")
        command = [sys.executable, "-m", "integration.cli.dataverse", *apply]
        self._process = subprocess.Popen(  # noqa: S603 -- our own module
            command,
            cwd=REPOSITORY,
            env={**os.environ, **secrets},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> None:
        """Wait until it is done; raises `RegistrationError`."""
        try:
            said, _ = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self.cancel()
            raise RegistrationError(f"Dataverse was not registered within {_SECONDS:.0f} s") from None
        if self._process.returncode not in {0, _MORE_IS_THERE}:
            raise RegistrationError(f"Dataverse could not be registered:\n{said[-2000:]}")

    def cancel(self) -> None:
        """End it; harmless when it has ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def values_file(folder: Path) -> Path:
    """The environment's file: the app compares the environment with it too."""
    return folder / "dataverse.toml"


def subscribe(ports: Ports) -> None:
    """Let the app subscribe now to what happens in its ERP, for which it has a timer. Raises `RegistrationError`."""
    url = f"http://{LOOPBACK}:{ports.events_host}/admin/functions/erp_watch"
    check(requests.post(url, json={}, timeout=_TIMEOUT))


def check(answer: requests.Response) -> None:
    """Raises `RegistrationError` for a refusal."""
    if not answer.ok:
        asked = f"{answer.request.method} {answer.request.url}"
        raise RegistrationError(f"{asked} was answered {answer.status_code}: {answer.text[:500]}")


def _values(reached: Endpoints, *, serves: bool) -> str:
    """The environment's file, in which secrets are only named."""
    person = reached.dataverse_person
    virtual_tables = f"""\
virtual-tables-url = "{reached.functions}/api/odata"
virtual-tables-key = "env:{_ODATA_KEY}"
"""
    return f"""\
url = "{reached.dataverse}"
publisher-prefix = "{PREFIX}"
application = "{reached.dataverse_client.client_id}"
app-sees-registration = true
stand-in-for-plug-ins = true
webhook-url = "{reached.functions}/api/dataverse/webhook"
webhook-key = "env:{_KEY}"
checks = {str(reached.checks).lower()}
{virtual_tables if serves else ""}
[sign-in]
tenant = "{person.tenant}"
client-id = "{person.client_id}"
client-secret = "env:{_SECRET}"
authority = "{person.authority}"
instance-discovery = false
ca-file = '{person.ca_file}'
"""
