"""The custom connector keeps the rules that Microsoft documents for its definition, its properties and its icon.

The names of rules are those of learn.microsoft.com, "Fix Swagger Validator errors".
"""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator

from documentation.connector import definition, package
from documentation.intake_api import document

HOST = "integration.contoso.example"
UNSUPPORTED = {"oneOf", "anyOf", "allOf", "not", "nullable", "const", "$ref", "uniqueItems", "discriminator"}
RESTRICTED = re.compile(r"\b(API|connector|Dataverse|Dynamics|Logic Apps|Power \w+)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def connector() -> dict[str, Any]:
    return definition(HOST)


def operations(connector: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in connector["paths"].items():
        for method, operation in methods.items():
            if not method.startswith("x-"):
                yield path, method, operation


def nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in the definition."""
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from nodes(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from nodes(inner)


def test_it_is_valid_openapi_2(connector: dict[str, Any]) -> None:
    assert [str(it) for it in OpenAPIV2SpecValidator(connector).iter_errors()] == []
    assert connector["swagger"] == "2.0"


def test_it_has_only_what_custom_connectors_can_take(connector: dict[str, Any]) -> None:
    """SwaggerKeywordNotSupported, ArrayHasNoItems, RequiredPropertyArrayEmpty, RequiredPropertyDefinitionMissing."""
    for node in nodes(connector["paths"]):
        assert not UNSUPPORTED & node.keys()
        if node.get("type") == "array":
            assert node["items"]
        if isinstance(node.get("required"), list):
            assert set(node["required"]) <= set(node["properties"])
            assert node["required"]
        assert isinstance(node.get("type", ""), str | dict)


def test_operations_have_names_of_their_own_and_texts_for_people(connector: dict[str, Any]) -> None:
    """OperationIdRequired, OperationIdNotUnique, OperationIdSanitized, OperationSummaryTooLong."""
    found = [it for _, _, it in operations(connector)]
    assert len({it["operationId"] for it in found}) == len(found)
    for it in found:
        assert re.fullmatch(r"([A-Z][a-z]+)+", it["operationId"])
        assert len(it["summary"]) <= 80
        assert it["summary"][-1].isalnum()
        assert "/" not in it["summary"]
        assert it["description"].endswith(".")
        assert it["description"] != it["summary"]
        assert it.get("x-ms-visibility", "none") in {"none", "important", "advanced", "internal"}


def test_an_operation_has_one_schema_for_the_designer(connector: dict[str, Any]) -> None:
    """OperationHasManyResponsesWithSchema, DefaultResponseHasSchema, SchemaDefinitionSetIncorrectly."""
    for path, _, it in operations(connector):
        schemas = [code for code, answer in it["responses"].items() if "schema" in answer]
        notifies = "x-ms-notification-content" in connector["paths"][path]
        internal = it.get("x-ms-visibility") == "internal"
        assert schemas in (["200"], ["201"]) or ((notifies or internal) and not schemas)


def test_parameters_and_properties_are_explained(connector: dict[str, Any]) -> None:
    """PathParameterMissingEncoding, PathParameterMustBeRequired, BodyOrFormDataParameterInFetchOperationNotAllowed."""
    for path, method, it in operations(connector):
        parameters = it.get("parameters", [])
        assert {p["name"] for p in parameters if p["in"] == "path"} == set(re.findall(r"\{(\w+)\}", path))
        for parameter in parameters:
            if parameter["in"] == "path":
                assert (parameter["required"], parameter["x-ms-url-encoding"]) == (True, "single")
            if parameter["in"] == "body":
                assert method != "get"
            else:
                assert parameter["x-ms-summary"]
                assert parameter["description"]
    for node in nodes(connector["paths"]):
        for name, part in node.get("properties", {}).items():
            assert part["x-ms-summary"], name
            assert part["description"], name


def test_names_and_texts_of_the_connector_itself(connector: dict[str, Any]) -> None:
    """ValueMustEndWithAlphanumeric, ValueContainsRestrictedWords, HostNameNotValid, FieldLengthNotInRange."""
    info = connector["info"]
    assert len(info["title"]) <= 30
    assert info["title"][-1].isalnum()
    assert 30 <= len(info["description"]) <= 500
    for text in (info["title"], info["description"]):
        assert not RESTRICTED.search(text)
    assert (connector["host"], connector["basePath"], connector["schemes"]) == (HOST, "/api", ["https"])
    assert {it["propertyName"] for it in connector["x-ms-connector-metadata"]} == {
        "Website", "Privacy policy", "Categories"
    }  # fmt: skip


def test_every_operation_is_a_route_of_the_app_and_knows_its_answers(connector: dict[str, Any]) -> None:
    """An action that waits ends with an answer of the address to which its 202 leads."""
    known = document()["paths"]
    ends = set(known["/api/events/{event_id}/outcome"]["get"]["responses"])
    for path, method, it in operations(connector):
        answers = set(known[connector["basePath"] + path][method]["responses"])
        assert set(it["responses"]) <= (answers | ends if "202" in answers else answers), path


def test_the_key_is_asked_for_and_kept_secret() -> None:
    properties = json.loads(package(HOST)["apiProperties.json"])["properties"]
    assert properties["connectionParameters"]["api_key"]["type"] == "securestring"
    assert re.fullmatch(r"#[0-9A-F]{6}", properties["iconBrandColor"])


def test_the_icon_is_a_square_png_on_the_brand_s_colour() -> None:
    files = package(HOST)
    icon = files["icon.png"]
    width, height, depth, kind = struct.unpack(">IIBB", icon[16:26])
    assert icon.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height, depth, kind) == (160, 160, 8, 2)
    start = icon.index(b"IDAT") + 4
    corner = zlib.decompressobj().decompress(icon[start:], 4)[1:]
    brand = json.loads(files["apiProperties.json"])["properties"]["iconBrandColor"]
    assert corner.hex().upper() == brand.removeprefix("#")


def test_a_trigger_names_where_it_is_told_and_what_it_is_told(connector: dict[str, Any]) -> None:
    """WebhookOperationsMissingNotificationUrlProperty, NotificationUrlNotInternal, NotificationUrlNotRequired."""
    triggers = [(path, it) for path, _, it in operations(connector) if "x-ms-trigger" in it]
    assert [it["operationId"] for _, it in triggers] == ["WhenAnEventEnds"]
    for path, it in triggers:
        assert it["x-ms-trigger"] == "single"
        assert connector["paths"][path]["x-ms-notification-content"]["schema"]["properties"]
        [schema] = [p["schema"] for p in it["parameters"] if p["in"] == "body"]
        [name] = [name for name, part in schema["properties"].items() if part.get("x-ms-notification-url")]
        url = schema["properties"][name]
        assert (url["type"], url["x-ms-visibility"], name in schema["required"]) == ("string", "internal", True)
    unsubscribe = connector["paths"]["/subscriptions/{subscription_id}"]["delete"]
    assert unsubscribe["x-ms-visibility"] == "internal"
