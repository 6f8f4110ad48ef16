"""The systems outside, as measures need them."""

import json

from sandbox.bench.outside import Outside

ROW = "/api/data/v9.2/accounts(7b1e)"


def answered(outside: Outside, method: str, path: str, headers: dict[str, str], body: object = None) -> int:
    """The status of the answer."""
    return outside.answer(method, path, headers, json.dumps(body).encode())[0]


def test_a_row_has_the_version_and_etag_that_a_write_must_name() -> None:
    """The worker's write-back is conditional, and changes both."""
    outside = Outside("https://localhost:1")
    status, row = outside.answer("GET", f"{ROW}?$select=name", {}, b"")
    assert (status, row["versionnumber"]) == (200, 1)
    assert answered(outside, "PATCH", ROW, {"if-match": row["@odata.etag"]}, {}) == 200
    assert answered(outside, "PATCH", ROW, {"if-match": row["@odata.etag"]}, {}) == 412
    assert outside.answer("GET", ROW, {}, b"")[1]["versionnumber"] == 2


def test_what_was_written_is_read_again() -> None:
    """Whoever looks whether there is anything left to write finds it; a column that was never written is null."""
    outside = Outside("https://localhost:1")
    path = f"{ROW}?$select=name,new_erpnumber"
    assert outside.answer("GET", path, {}, b"")[1]["new_erpnumber"] is None
    outside.answer("PATCH", ROW, {"if-match": "*"}, b'{"new_erpnumber": "C-1"}')
    assert outside.answer("GET", path, {}, b"")[1]["new_erpnumber"] == "C-1"


def test_effects_are_counted_by_record() -> None:
    """The audit sees what was lost, and what was done twice."""
    outside = Outside("https://localhost:1")
    for key in ("one", "other"):
        assert answered(outside, "PUT", "/api/customers/a", {"idempotency-key": key}, {"sourceVersion": 1}) == 200
    assert answered(outside, "PATCH", "/api/data/v9.2/accounts(b)", {"if-match": "*"}, {}) == 200
    _, effects = outside.answer("POST", "/control/effects", {}, b'["a", "b", "c"]')
    assert effects == {"a": [2, 0], "b": [0, 1], "c": [0, 0]}


def test_a_repetition_under_the_same_key_is_one_effect() -> None:
    """As the ERP promises it."""
    outside = Outside("https://localhost:1")
    for _ in range(2):
        assert answered(outside, "PUT", "/api/customers/a", {"idempotency-key": "k"}, {}) == 200
    assert outside.answer("GET", "/control/counts", {}, b"")[1]["customers"] == 1


def test_a_repetition_with_a_newer_version_of_the_row_is_one_effect() -> None:
    """The answer was lost, and the row was written back to in between: the number of the effect is the same."""
    outside = Outside("https://localhost:1")
    for key in ("erp-customer:account:a:1:f:1", "erp-customer:account:a:1:f:2", "erp-customer:account:a:2:f:3"):
        assert answered(outside, "PUT", "/api/customers/a", {"idempotency-key": key}, {}) == 200
    assert outside.answer("GET", "/control/counts", {}, b"")[1]["customers"] == 2


def test_a_customer_without_an_idempotency_key_is_refused() -> None:
    """Nobody is measured who leaves out what makes the effect safe to repeat."""
    outside = Outside("https://localhost:1")
    assert answered(outside, "PUT", "/api/customers/a", {}, {}) == 400
    assert outside.answer("GET", "/control/counts", {}, b"")[1]["customers"] == 0


def test_sign_in_gives_a_token_at_the_address_that_discovery_names() -> None:
    """MSAL asks for the configuration first."""
    outside = Outside("https://localhost:1")
    _, configuration = outside.answer("GET", "/tenant/v2.0/.well-known/openid-configuration", {}, b"")
    path = configuration["token_endpoint"].removeprefix("https://localhost:1")
    status, token = outside.answer("POST", path, {}, b"grant_type=client_credentials")
    assert status == 200
    assert token["access_token"]


def test_an_unknown_route_is_not_answered_as_if_it_were_there() -> None:
    """A call that nobody expects fails and is seen."""
    assert answered(Outside("https://localhost:1"), "GET", "/api/orders/1", {}) == 404
