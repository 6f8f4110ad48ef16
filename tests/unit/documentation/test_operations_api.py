"""The OpenAPI document has each route of operations, with what it takes."""

from documentation.operations_api import document
from documentation.routes import functions


def test_it_has_every_route_and_method() -> None:
    routes = {
        (f"/api/{it['route'].replace('?', '')}", method.lower())
        for it in functions().values()
        if str(it.get("route", "")).startswith("operations")
        for method in map(str, it["methods"])
    }
    found = {(path, method) for path, methods in document()["paths"].items() for method in methods}
    assert found == routes


def test_a_body_is_described_by_the_model_that_reads_it() -> None:
    it = document()
    retry = it["paths"]["/api/operations/{event_id}/retry"]["post"]
    schema = retry["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(it["components"]["schemas"][schema]["properties"]) == {"why", "force", "request"}
    assert [parameter["name"] for parameter in retry["parameters"]] == ["event_id"]
