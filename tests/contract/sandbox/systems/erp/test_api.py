"""The ERP stand-in keeps its contract."""

import subprocess
import uuid
from pathlib import Path

import pytest
import requests

from tests.contract.sandbox.systems.stand_in import StandIn, Start

KEY = {"X-Api-Key": "erp-sandbox-key"}


@pytest.fixture(scope="module")
def erp(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("erp", "--db", tmp_path_factory.mktemp("erp") / "erp.db")


def customer(**changes: object) -> dict[str, object]:
    body = {"name": "Fabrikam", "kind": "organisation", "currency": "EUR", "status": "active", "sourceVersion": 10}
    return body | changes


def order(customer_id: str, **changes: object) -> dict[str, object]:
    body = {"customerId": customer_id, "title": "50 bikes", "amount": "1234.50", "currency": "EUR", "closedOn": None}
    return body | {"status": "confirmed", "sourceVersion": 5} | changes


def put(erp: StandIn, path: str, body: dict[str, object], key: str | None = None) -> requests.Response:
    headers = KEY | {"Idempotency-Key": key or str(uuid.uuid4())}
    return erp.http.put(f"{erp.url}/api/{path}", json=body, headers=headers, timeout=5)


def new_customer(erp: StandIn) -> str:
    row_id = str(uuid.uuid4())
    assert put(erp, f"customers/{row_id}", customer()).status_code == 201
    return row_id


def effects(erp: StandIn, row_id: str) -> list[str]:
    return [line["kind"] for line in erp.control("GET", "ledger").json()["effects"] if line["id"] == row_id]


def test_a_customer_gets_a_number_and_keeps_it(erp: StandIn) -> None:
    row_id = str(uuid.uuid4())
    first = put(erp, f"customers/{row_id}", customer())
    second = put(erp, f"customers/{row_id}", customer(name="Fabrikam AG", sourceVersion=11))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["customerNumber"] == second.json()["customerNumber"]
    assert first.json()["customerNumber"].startswith("C-")
    read = erp.http.get(f"{erp.url}/api/customers/{row_id}", headers=KEY, timeout=5).json()
    assert (read["name"], read["sourceVersion"]) == ("Fabrikam AG", 11)
    assert effects(erp, row_id) == ["customer-created", "customer-updated"]


def test_a_put_keeps_what_it_does_not_name_and_null_empties(erp: StandIn) -> None:
    """In nested objects too: what is not the caller's to say stays as the ERP's own people have set it."""
    row_id = str(uuid.uuid4())
    whole = customer(taxNumber="ATU1", email="a@b.example", address={"line1": "Main 1", "line2": "c/o", "city": "Graz"})
    put(erp, f"customers/{row_id}", whole)
    put(erp, f"customers/{row_id}", customer(email=None, address={"line1": "Side 2"}, sourceVersion=11))
    read = erp.http.get(f"{erp.url}/api/customers/{row_id}", headers=KEY, timeout=5).json()
    assert read["address"] == {"line1": "Side 2", "line2": "c/o", "city": "Graz"}
    assert (read["taxNumber"], read["email"]) == ("ATU1", None)


def test_a_put_without_version_is_refused_whatever_is_stored(erp: StandIn) -> None:
    row_id = new_customer(erp)
    body = customer()
    del body["sourceVersion"]
    assert put(erp, f"customers/{row_id}", body).json()["type"].endswith("/invalid-source-version")


def test_the_same_key_and_body_are_done_once(erp: StandIn) -> None:
    row_id, key = str(uuid.uuid4()), str(uuid.uuid4())
    first = put(erp, f"customers/{row_id}", customer(), key)
    again = put(erp, f"customers/{row_id}", customer(), key)
    assert again.status_code == first.status_code
    assert again.json() == first.json()
    assert (again.headers.get("Idempotent-Replay"), first.headers.get("Idempotent-Replay")) == ("true", None)
    assert effects(erp, row_id) == ["customer-created"]


def test_the_same_key_for_another_body_is_refused(erp: StandIn) -> None:
    row_id, key = str(uuid.uuid4()), str(uuid.uuid4())
    put(erp, f"customers/{row_id}", customer(), key)
    other = put(erp, f"customers/{row_id}", customer(name="Other"), key)
    assert other.status_code == 422
    assert other.headers["Content-Type"].startswith("application/problem+json")
    assert other.json()["type"].endswith("/idempotency-key-reused")


def test_a_write_without_a_key_is_refused(erp: StandIn) -> None:
    answer = erp.http.put(f"{erp.url}/api/customers/{uuid.uuid4()}", json=customer(), headers=KEY, timeout=5)
    assert answer.status_code == 400


def test_an_older_version_changes_nothing(erp: StandIn) -> None:
    row_id = new_customer(erp)
    stale = put(erp, f"customers/{row_id}", customer(name="Old", sourceVersion=9))
    assert stale.status_code == 409
    assert stale.json()["type"].endswith("/stale-version")
    assert effects(erp, row_id) == ["customer-created"]


def test_an_order_needs_its_customer(erp: StandIn) -> None:
    order_id, customer_id, key = str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())
    assert put(erp, f"orders/{order_id}", order(customer_id), key).status_code == 422
    put(erp, f"customers/{customer_id}", customer())
    booked = put(erp, f"orders/{order_id}", order(customer_id), key)
    assert booked.status_code == 201, "a refused request may be sent again with its key"
    assert booked.json()["orderNumber"].startswith("SO-")


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 1234.5}, {"amount": "12,5"}, {"currency": "XXX"}, {"currency": "euro"}, {"closedOn": "tomorrow"}],
)
def test_what_cannot_be_booked_is_refused(erp: StandIn, wrong: dict[str, object]) -> None:
    answer = put(erp, f"orders/{uuid.uuid4()}", order(new_customer(erp), **wrong))
    assert answer.status_code == 422
    assert set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_status_can_be_patched(erp: StandIn) -> None:
    row_id = new_customer(erp)
    body = {"status": "blocked", "reason": "credit refused", "sourceVersion": 12}
    headers = KEY | {"Idempotency-Key": str(uuid.uuid4())}
    patched = erp.http.patch(f"{erp.url}/api/customers/{row_id}", json=body, headers=headers, timeout=5)
    assert (patched.status_code, patched.json()["status"]) == (200, "blocked")
    missing = erp.http.patch(f"{erp.url}/api/orders/{row_id}", json=body, headers=headers, timeout=5)
    assert missing.status_code == 422, "the key belongs to another request"


def test_callers_need_the_key_or_a_live_token(erp: StandIn) -> None:
    url = f"{erp.url}/api/customers/{uuid.uuid4()}"
    assert erp.http.get(url, timeout=5).status_code == 401
    grant = {"grant_type": "client_credentials", "client_id": "erp-sandbox-client", "client_secret": "wrong"}
    assert erp.http.post(f"{erp.url}/oauth/token", data=grant, timeout=5).status_code == 401
    grant["client_secret"] = "erp-sandbox-secret"
    token = erp.http.post(f"{erp.url}/oauth/token", data=grant, timeout=5).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert erp.http.get(url, headers=bearer, timeout=5).status_code == 404
    erp.control("POST", "expire-tokens")
    assert erp.http.get(url, headers=bearer, timeout=5).status_code == 401


def test_a_kill_loses_nothing(start: Start, tmp_path: Path) -> None:
    """What was answered before SIGKILL is there afterwards, with its replay."""
    erp = start("erp", "--db", tmp_path / "erp.db")
    row_id, key = str(uuid.uuid4()), str(uuid.uuid4())
    first = put(erp, f"customers/{row_id}", customer(), key)
    erp.kill()
    erp.start_again()
    again = put(erp, f"customers/{row_id}", customer(), key)
    assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
    assert effects(erp, row_id) == ["customer-created"]


def test_a_taken_port_is_named(erp: StandIn, tmp_path: Path) -> None:
    """A second stand-in on the same port ends with exit code 2 and says which port."""
    command = [argument if not argument.endswith(".db") else str(tmp_path / "x.db") for argument in erp.arguments]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 -- our own module
    assert second.returncode == 2
    assert erp.url.rpartition(":")[2] in second.stderr


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_compressed_body_is_not_read(erp: StandIn, encoding: str) -> None:
    """It is refused as what it is, not with a fault of the server."""
    headers = KEY | {"Idempotency-Key": str(uuid.uuid4()), "Content-Encoding": encoding}
    answer = erp.http.put(f"{erp.url}/api/customers/{uuid.uuid4()}", b"\x1f\x8b nonsense", headers=headers, timeout=5)
    assert answer.status_code == 400
