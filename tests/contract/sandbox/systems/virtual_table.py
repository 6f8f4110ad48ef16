"""A virtual table as somebody makes it by hand, with the calls of the documentation, and a service behind it."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.contract.sandbox.systems.dataverse_client import Dataverse

CRM = "Microsoft.Dynamics.CRM."


@dataclass
class Service:
    """Answers every request with the next of `answers` (status, body), and remembers what was asked."""

    answers: list[tuple[int, object]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.requests.append(f"{self.command} {unquote(self.path)}")
                service.headers.append(dict(self.headers))
                service.bodies.append(json.loads(content) if content else None)
                status, body = service.answers.pop(0) if service.answers else (500, {})
                self.send_response(status)
                sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 -- names of http.server

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/odata"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def label(text: str) -> dict[str, object]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


def column(kind: str, name: str, external: str, **more: object) -> dict[str, object]:
    return {
        "@odata.type": f"{CRM}{kind}AttributeMetadata", "SchemaName": name, "DisplayName": label(external),
        "ExternalName": external, **more,
    }  # fmt: skip


def data_source(dataverse: Dataverse, uri: str, **columns: object) -> str:
    body = {"msdyn_name": "the ERP", "msdyn_uri": uri, "msdyn_timeout": 30, "msdyn_paginationtype": 0, **columns}
    return dataverse.create("msdyn_odatav4ds", body)


def virtual_table(dataverse: Dataverse, source: str, name: str = "new_Course", **more: object) -> str:
    """A table of courses; gives its MetadataId."""
    found = dataverse.get("entitydataproviders?$filter=datasourcelogicalname eq 'msdyn_odatav4ds'")["value"]
    attributes = [
        column("String", f"{name}Name", "Name", MaxLength=20, IsPrimaryName=True,
               RequiredLevel={"Value": "ApplicationRequired"}),
        column("Integer", "new_Seats", "Seats"),
        column("Decimal", "new_Price", "Price", Precision=2),
        column("DateTime", "new_Starts", "Starts", Format="DateAndTime"),
        column("Boolean", "new_Full", "Full"),
    ]  # fmt: skip
    body = {
        "@odata.type": f"{CRM}EntityMetadata", "SchemaName": name, "DisplayName": label("Course"),
        "DisplayCollectionName": label("Courses"), "OwnershipType": "OrganizationOwned", "TableType": "Virtual",
        "DataProviderId": found[0]["entitydataproviderid"], "DataSourceId": source, "ExternalName": "Course",
        "ExternalCollectionName": "Courses", "Attributes": attributes, **more,
    }  # fmt: skip
    answer = dataverse.call("POST", "EntityDefinitions", body)
    assert answer.status_code == 204, answer.text
    key = f"EntityDefinitions(LogicalName='{name.lower()}')/Attributes(LogicalName='{name.lower()}id')"
    whole = {it: value for it, value in dataverse.get(key).items() if it != "@odata.context"}
    answer = dataverse.call("PUT", key, whole | {"ExternalName": "CourseId"})
    assert answer.status_code == 204, answer.text
    return str(dataverse.get(f"EntityDefinitions(LogicalName='{name.lower()}')?$select=MetadataId")["MetadataId"])


def remove(dataverse: Dataverse, source: str, name: str = "new_course") -> None:
    for it in dataverse.get("virtualentitymetadatas")["value"]:
        dataverse.call("DELETE", f"virtualentitymetadatas({it['virtualentitymetadataid']})")
    dataverse.call("DELETE", f"EntityDefinitions(LogicalName='{name}')")
    dataverse.call("DELETE", f"msdyn_odatav4ds({source})")
