"""What the OpenAPI document of the intake says holds for whatever is sent: no 500, and no answer that it does not name.

`python3 run.py test tests/end_to_end/test_openapi.py --api-examples 500` sends more of each.
"""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox.client import Client
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints

DOCUMENT: dict[str, Any] = json.loads((REPOSITORY / "docs/reference/intake.openapi.json").read_text(encoding="utf-8"))
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
CHECKS: list[CheckFunction] = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def api() -> Any:
    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda it: it)
@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_whatever_is_sent_gets_an_answer_that_the_document_names(  # noqa: PLR0917 -- fixtures
    path: str,
    method: str,
    mode: schemathesis.GenerationMode,
    api: Any,
    client: Client,
    endpoints: Endpoints,
    request: pytest.FixtureRequest,
) -> None:
    """Bodies that fit the schema, and bodies that do not; a caller with a key that may send everything."""
    examples = int(request.config.getoption("--api-examples"))
    headers = {"x-functions-key": endpoints.plugin_key}

    @settings(max_examples=examples, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=api[path][method].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        answer = case.call(base_url=client.app.url, headers=headers, timeout=30)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CHECKS, headers=headers)

    send()
