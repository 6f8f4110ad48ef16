"""The channel between a host and its worker processes: Python objects over a stream, each preceded by its length.

A worker shows its secret, then sends `Indexed` or `Refused`; the host sends `Invocation`s, answered with an `Outcome`
each, and `MeasuresWanted`, answered with the worker's counters.
"""

import asyncio
import pickle
import struct
from dataclasses import dataclass
from typing import Any

from sandbox.azure.host.functions import Function

SECRET = "SANDBOX_HOST_WORKER_SECRET"  # noqa: S105 -- the name of a variable
"""The environment variable with the secret that a worker shows first: hexadecimal digits, new for each worker."""

SECRET_LENGTH = 32

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Indexed:
    """A worker is ready."""

    functions: list[Function]


@dataclass(frozen=True, slots=True)
class Refused:
    """A worker cannot load the app."""

    reason: str


@dataclass(frozen=True, slots=True)
class MeasuresWanted:
    """The host asks for a worker's counters; the answer is a dict."""


class Channel:
    """One end of a connection between host and worker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: Any) -> None:
        """Send one object; does nothing when the other end has closed."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(_LENGTH.pack(len(data)) + data)

    async def receive(self) -> Any:
        """The next object; None when the other end has closed."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            data = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return pickle.loads(data)  # noqa: S301 -- the other end has shown the secret that only it was given

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()
