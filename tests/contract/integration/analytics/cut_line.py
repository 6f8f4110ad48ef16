"""A line to Azurite that loses an answer: what was asked for is done, and whoever asked does not get to know it."""

import socket
import threading
from contextlib import suppress
from typing import Final, Self

from sandbox.machine.ports import LOOPBACK
from sandbox.storage import connection_parts

_ANSWER: Final = b"HTTP/1.1 "


class CutLine:
    """A TCP proxy in threads; a context manager."""

    def __init__(self, storage: str) -> None:
        """`storage` is the connection string of an Azurite."""
        address = connection_parts(storage)["BlobEndpoint"].partition("://")[2].partition("/")[0]
        self._target = (LOOPBACK, int(address.rpartition(":")[2]))
        self._listener = socket.create_server((LOOPBACK, 0))
        port = self._listener.getsockname()[1]
        self.connection_string = storage.replace(address, f"{LOOPBACK}:{port}")
        self._unlucky = b""
        self.lost = 0

    def lose_answer_to(self, put: bytes) -> None:
        """Of the next PUT whose path ends so."""
        self._unlucky = put

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(self._target)
                threading.Thread(target=self._there, args=(client, server), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        """Requests, one after the other on a connection, and their answers by a thread of their own."""
        doomed = threading.Event()
        threading.Thread(target=self._back, args=(server, client, doomed), daemon=True).start()
        with suppress(OSError):
            while said := client.recv(65_536):
                first = said.partition(b"\r\n")[0]
                if self._unlucky and first.startswith(b"PUT ") and self._unlucky in first:
                    self._unlucky = b""
                    doomed.set()
                server.sendall(said)
        server.close()

    def _back(self, server: socket.socket, client: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while said := server.recv(65_536):
                if doomed.is_set() and said.startswith(_ANSWER):
                    self.lost += 1
                    break
                client.sendall(said)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()
