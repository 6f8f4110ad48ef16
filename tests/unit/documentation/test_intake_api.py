"""The OpenAPI document of the intake is valid, whole, and describes what the code reads and answers."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from documentation.intake_api import document
from documentation.routes import functions
from integration.events.flat_row import FlatRow


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    return document()


def test_it_is_valid_openapi_3_1(api: dict[str, Any]) -> None:
    assert [str(it) for it in OpenAPIV31SpecValidator(api).iter_errors()] == []


def test_it_has_every_route_that_is_not_for_support(api: dict[str, Any]) -> None:
    known = {
        (f"/api/{it['route']}", str(method).lower())
        for it in functions().values()
        if it["type"] == "httpTrigger"
        and not it["route"].startswith(("operations", "console", "health", "odata", "dataverse/custom"))
        for method in it["methods"]
    }
    assert {(path, method) for path, methods in api["paths"].items() for method in methods} == known


def test_every_operation_has_a_name_of_its_own(api: dict[str, Any]) -> None:
    names = [it["operationId"] for methods in api["paths"].values() for it in methods.values()]
    assert len(names) == len(set(names))


def test_a_body_is_described_by_the_model_that_reads_it(api: dict[str, Any]) -> None:
    schema = api["paths"]["/api/rows"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    properties = api["components"]["schemas"][schema.rpartition("/")[2]]["properties"]
    assert set(properties) == {it.alias for it in FlatRow.model_fields.values()}
