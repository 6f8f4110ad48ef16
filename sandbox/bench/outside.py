"""`python -m sandbox.bench.outside`: Dataverse and the ERP for measures, as cheap as they can be made.

The sandbox's own stand-ins check and store so much that a small machine would measure them and not their caller. This
program answers only what the worker asks about accounts, counts what was done for each record, and speaks only as much
HTTP/1.1 as that needs. Dataverse is served over TLS, as it is everywhere, the ERP is not.

    GET    /<tenant>/v2.0/.well-known/openid-configuration, POST /<tenant>/oauth2/v2.0/token     sign-in; any client
    GET    /api/data/v9.2/accounts(<id>)      a row of version 1, or what was written to it last
    PATCH  /api/data/v9.2/accounts(<id>)      counted; 412 unless If-Match names the version of the row
    PUT    /api/customers/<id>                counted once for each Idempotency-Key (see `_effect`); 400 without one
    GET    /control/counts                    how many rows were read, customers put, rows written since the start
    POST   /control/effects                   per record id in the body (a JSON list): how often [put, written]
    POST   /control/delay/<ms>                from now on each answer except those of /control waits that long
"""

import argparse
import asyncio
import json
import re
import ssl
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sandbox.machine.certificates import server_context
from sandbox.machine.signals import call_on_stop

_ROUTE = re.compile(
    r"(?P<row>/api/data/v9\.2/accounts\((?P<row_id>[^)]+)\))"
    r"|(?P<customer>/api/customers/(?P<customer_id>[^/?]+))"
    r"|/control/(?P<control>counts|effects|delay)(?:/(?P<argument>\d+))?"
    r"|/[^/]+/(?P<sign_in>v2\.0/\.well-known/openid-configuration|oauth2/v2\.0/token)"
)
_SELECT = re.compile(r"[?&]\$select=([^&]*)")
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 412: "Precondition Failed"}
_ROW = {
    "address1_city": "Berlin",
    "address1_country": "Germany",
    "address1_line1": "Unter den Linden 1",
    "address1_postalcode": "10117",
    "emailaddress1": "office@example.com",
    "statecode": 0,
    "telephone1": "+49 30 5550100",
    "transactioncurrencyid": {"isocurrencycode": "EUR"},
}


class Outside:
    """What was asked for, by record, and the answers."""

    def __init__(self, dataverse_url: str) -> None:
        self.delay = 0.0
        self._url = dataverse_url
        self._reads = 0
        self._effects: set[str] = set()
        self._customers: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._results: dict[str, bytes] = {}

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Status and JSON of the answer to one request; header names are in lower case."""
        route = _ROUTE.match(path)
        if route is None:
            return 404, {"error": {"code": "0x80060888", "message": f"no route for {path}"}}
        if route["row"]:
            return self._row(method, route["row_id"], path, headers, body)
        if route["customer"]:
            return self._customer(route["customer_id"], headers, body)
        if route["control"]:
            return 200, self._control(route["control"], route["argument"], body)
        return 200, self._sign_in(path)

    def _row(self, method: str, row_id: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if method == "PATCH":
            if headers.get("if-match") not in {"*", _etag(1 + self._written[row_id])}:
                return 412, {"error": {"code": "0x80060882", "message": "The version of the row does not match."}}
            self._written[row_id] += 1
            self._results[row_id] = body
        else:
            self._reads += 1
        version = 1 + self._written[row_id]
        named = {"accountid": row_id, "name": f"Bench {row_id}", "versionnumber": version, **_ROW}
        selected = _SELECT.search(unquote(path))
        columns = selected[1].split(",") if selected else list(named)
        results = json.loads(self._results.get(row_id, b"{}"))
        context = f"{self._url}/api/data/v9.2/$metadata#accounts/$entity"
        return 200, {
            "@odata.context": context,
            "@odata.etag": _etag(version),
            **dict.fromkeys(columns),
            **named,
            **results,
        }

    def _customer(self, customer_id: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        key = headers.get("idempotency-key")
        if not key:
            return 400, {"type": "about:blank", "title": "Idempotency-Key is missing", "status": 400}
        state = json.loads(body)
        effect = _effect(key)
        if effect not in self._effects:
            self._effects.add(effect)
            self._customers[customer_id] += 1
        number = f"C-{customer_id[:8]}"
        version = state.get("sourceVersion", 1)
        return 200, {"id": customer_id, "customerNumber": number, "status": "active", "sourceVersion": version}

    def _control(self, what: str, argument: str | None, body: bytes) -> Any:
        if what == "effects":
            return {record: [self._customers[record], self._written[record]] for record in json.loads(body)}
        if what == "delay":
            self.delay = int(argument or 0) / 1000
        customers, written = self._customers.total(), self._written.total()
        return {"reads": self._reads, "customers": customers, "written": written}

    def _sign_in(self, path: str) -> Any:
        if path.endswith("/token"):
            return {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "x" * 64}
        base = f"{self._url}/{path.split('/')[1]}"
        return {
            "issuer": f"{base}/v2.0",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        }


class _Connection(asyncio.Protocol):
    """One kept connection: a request at a time, as HTTP/1.1 clients send them."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._received = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a stream transport, as the server makes them

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        request, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        stop = end + 4 + int(headers.get("content-length", 0))
        if len(self._received) < stop:
            return
        body = bytes(self._received[end + 4 : stop])
        del self._received[:stop]
        method, path, _ = request.split(" ")
        status, answer = self._outside.answer(method, path, headers, body)
        payload = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: "
        whole = f"{head}{len(payload)}\r\n\r\n".encode() + payload
        if self._outside.delay and not path.startswith("/control/"):
            asyncio.get_running_loop().call_later(self._outside.delay, self._transport.write, whole)
        else:
            self._transport.write(whole)


def _effect(key: str) -> str:
    """The app's key without the version of the row, which it ends with.

    An effect whose outcome is unknown is repeated with the same number, and with the row as it is then. The row may
    have been written back to in between; the customer is put into the same state again.
    """
    effect, _, version = key.rpartition(":")
    return effect if version.isdigit() and effect else key


def _etag(version: int) -> str:
    return f'W/"{version}"'


async def _serve(dataverse: int, erp: int, tls: ssl.SSLContext) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    call_on_stop(stop.set)
    outside = Outside(f"https://localhost:{dataverse}")
    make: Callable[[], asyncio.Protocol] = lambda: _Connection(outside)  # noqa: E731 -- typed here
    async with (
        await loop.create_server(make, "127.0.0.1", dataverse, ssl=tls, backlog=512),
        await loop.create_server(make, "127.0.0.1", erp, backlog=512),
    ):
        await stop.wait()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench.outside", description=__doc__)
    parser.add_argument("--dataverse-port", type=int, required=True)
    parser.add_argument("--erp-port", type=int, required=True)
    parser.add_argument("--ca-dir", type=Path, required=True, help="where ca.pem is, or is made")
    given = parser.parse_args()
    asyncio.run(_serve(given.dataverse_port, given.erp_port, server_context(given.ca_dir)))


if __name__ == "__main__":
    main()
