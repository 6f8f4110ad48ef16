"""What the deployed app serves as virtual tables, as its `$metadata` says: Dataverse is registered for that."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from xml.etree import ElementTree as ET

from integration.errors import ConfigurationError, Transient
from integration.transport import NO_CONTEXT, Request, RetryPolicy, Sender, failure

SERVICE: Final = "app"
_EDM: Final = "{http://docs.oasis-open.org/odata/ns/edm}"
_RETRIES: Final = RetryPolicy(first_delay=timedelta(milliseconds=250), cap=timedelta(seconds=2), max_attempts=60)
"""An app that scales from zero, or is being deployed, has a minute to answer."""


@dataclass(frozen=True, slots=True)
class ServedProperty:
    """A property of a type; `length` and `scale` are None where they say nothing."""

    edm: str
    required: bool
    length: int | None
    scale: int | None


@dataclass(frozen=True, slots=True)
class ServedType:
    """The type of a set's rows: its name, its key, and its properties without the key."""

    name: str
    key: str
    properties: Mapping[str, ServedProperty]


class ServedMetadata:
    """Asks the app at `url` (`https://<app>/api/odata`), with the key of the data source; `header` carries it."""

    def __init__(self, sender: Sender, url: str, header: str, key: Callable[[], str]) -> None:
        self._sender, self._url, self._header, self._key = sender, url.rstrip("/"), header, key

    async def read(self) -> dict[str, ServedType]:
        """The types by entity set; raises `ConfigurationError` where the app does not answer with them."""
        headers = {self._header: self._key(), "Accept": "application/xml"}
        request = Request(SERVICE, "read $metadata", "GET", f"{self._url}/$metadata", headers)
        attempt = 1
        while True:
            try:
                answer = await self._sender.send(request, authorizer=None, context=NO_CONTEXT)
                if answer.status == 401:
                    raise ConfigurationError(f"{self._url} refuses the key: VIRTUAL_TABLE_KEYS of the app has another.")
                if not answer.ok:
                    raise failure(answer, own=False)
                return parsed(answer.body.decode(errors="replace"))
            except Transient as error:
                delay = _RETRIES.next_delay(attempt, timedelta(0), None, random.random)
                if delay is None:
                    raise ConfigurationError(
                        f"{self._url} does not answer ({error}). Virtual tables are registered for an app that runs: "
                        "deploy it first."
                    ) from error
                await asyncio.sleep(delay.total_seconds())
                attempt += 1


def parsed(text: str) -> dict[str, ServedType]:
    """The types of a CSDL document, by entity set; raises `ConfigurationError` for anything else."""
    try:
        root = ET.fromstring(text)  # noqa: S314 -- from the app that is registered; expat limits expansion of entities
        types = {str(it.get("Name")): _type(it) for it in root.iter(f"{_EDM}EntityType")}
        sets = root.iter(f"{_EDM}EntitySet")
        return {str(it.get("Name")): types[str(it.get("EntityType")).rpartition(".")[2]] for it in sets}
    except (ET.ParseError, KeyError, ValueError, StopIteration) as error:
        raise ConfigurationError(f"The app's $metadata cannot be read: {error}") from error


def _type(element: ET.Element) -> ServedType:
    key = str(next(element.iter(f"{_EDM}PropertyRef")).get("Name"))
    properties = {str(it.get("Name")): _property(it) for it in element.iter(f"{_EDM}Property")}
    properties.pop(key)
    return ServedType(str(element.get("Name")), key, properties)


def _property(element: ET.Element) -> ServedProperty:
    numbers = {name: element.get(name) for name in ("MaxLength", "Scale")}
    length, scale = (None if it is None or not it.isdigit() else int(it) for it in numbers.values())
    return ServedProperty(str(element.get("Type")), element.get("Nullable") == "false", length, scale)
