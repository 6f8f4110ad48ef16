"""What Microsoft's exporter makes of our spans: the rows that the queries of infra/queries read."""

from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource

from integration.telemetry import export, spans
from integration.telemetry.azure_monitor import NamedDependencies
from integration.telemetry.spans import Kind, Span

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CONNECTION = f"InstrumentationKey={'0' * 8}-0000-0000-0000-{'0' * 12};IngestionEndpoint=https://127.0.0.1:9/"
CALL: dict[str, spans.Value] = {
    "http.request.method": "PUT",
    "url.scheme": "https",
    "server.address": "erp.contoso.example",
    "server.port": 443,
    "peer.service": "erp",
    "integration.system": "erp",
}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    """An attempt whose call has failed, where the host records its invocations in the same place."""
    monkeypatch.setenv("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "True")
    found: list[Span] = []
    spans.switch_on(spans.Switch(found.extend, joins_host=True))
    with spans.recorded(spans.begin("process work", Kind.CONSUMER, CALLER, {"integration.event.id": "e1"})) as it:
        assert it is not None
        call = it.start("erp put customer", Kind.CLIENT, CALL)
        call.attributes["http.response.status_code"] = 503
        call.end("503")
    spans.switch_on(None)
    return found


def rows(recorded: list[Span]) -> list[Any]:
    resource = Resource({"service.name": "integration"})
    exporter = NamedDependencies(connection_string=CONNECTION, disable_offline_storage=True)
    return [exporter._span_to_envelope(export.readable(it, resource)) for it in recorded]


def test_an_attempt_is_a_dependency_and_no_second_request(recorded: list[Span]) -> None:
    """The host's invocation is the request: one more would double the figures of `requests`."""
    attempt, _ = rows(recorded)
    assert attempt.data.base_type == "RemoteDependencyData"
    assert (attempt.data.base_data.name, attempt.data.base_data.type) == ("process work", "InProc")
    assert attempt.data.base_data.properties["integration.event.id"] == "e1"
    assert attempt.tags["ai.operation.id"] == "0af7651916cd43dd8448eb211c80319c"
    assert attempt.tags["ai.operation.parentId"] == "b7ad6b7169203331"


def test_a_call_is_a_dependency_with_its_system_status_and_failure(recorded: list[Span]) -> None:
    attempt, call = rows(recorded)
    data = call.data.base_data
    assert (data.name, data.type, data.target) == ("erp put customer", "HTTP", "erp.contoso.example")
    assert (data.result_code, data.success) == ("503", False)
    assert data.properties["integration.system"] == "erp"
    assert call.tags["ai.operation.parentId"] == attempt.data.base_data.id
