"""Every way to show who one is, and all rights: what the tables of docs/reference/admission.md say is what happens."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import azure.functions as func
import pytest
from pydantic import SecretStr

from integration.admission import CallerKeys, EntraTokens
from integration.errors import Rejected, Unavailable
from integration.intake import EndpointMessage, IntakeRequest
from integration.intake.answers import accepting, answered
from integration.operations.answers import answered as operations_answered
from integration.operations.answers import as_json
from integration.operations.rights import Staff
from integration.public_address import PublicAddress
from sandbox.repository import REPOSITORY
from tests.unit.integration.admission.entra import PARTNER, Entra, bearing, token
from tests.unit.integration.events.support import context
from tests.unit.integration.intake.support import ORGANISATION, UnderTest
from tests.unit.integration.intake.test_business_central_intake import entry
from tests.unit.integration.intake.test_event_grid_intake import grid_event

PAGE: Final = (REPOSITORY / "docs" / "reference" / "admission.md").read_text(encoding="utf-8")
KEY: Final = "a-key-of-the-intake"
NEXT: Final = "the-next-key-of-it"
OPERATIONS: Final = "a-key-of-operations"
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CLIENT_STATE: Final = "a-client-state-of-ours"
BODY: Final = json.dumps(context()).encode()
SETTINGS: Final = {
    "INTAKE_KEYS": json.dumps({"caller": [KEY, NEXT], "signer": [SECRET], "business-central": [CLIENT_STATE]}),
    "TOKEN_AUDIENCES": '["api://dataverse-integration"]',
    "INTAKE_APPLICATIONS": json.dumps({"partner": PARTNER}),
}
Carried = tuple[Mapping[str, str], Mapping[str, str]]
"""Headers and parameters of a request."""


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading of the page; the first one has the names of the columns."""
    lines = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in rows if not row[0].startswith("---")]


def keyed(header: str = "", address: str = "") -> Carried:
    return ({"x-functions-key": header} if header else {}), ({"code": address} if address else {})


def signed(body: bytes = BODY, *, ago: int = 0) -> dict[str, str]:
    at = str(int(datetime.now(UTC).timestamp()) - ago)
    said = f"msg_1.{at}.".encode() + body
    made = base64.b64encode(hmac.digest(base64.b64decode(SECRET[6:]), said, hashlib.sha256)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,{made}"}


def borne(**changed: Any) -> Carried:
    return bearing(token(**changed)), {}


CARRIED: Final[Mapping[str, Callable[[], Carried]]] = {
    "nothing": keyed,
    "the key, in the header": lambda: keyed(KEY),
    "the next key of a rotation, in the header": lambda: keyed(NEXT),
    "the key, in the address": lambda: keyed(address=KEY),
    "a wrong key in the header, and the key in the address": lambda: keyed("wrong", KEY),
    "an operations key, in the header": lambda: keyed(OPERATIONS),
    "an operations key, in the address": lambda: keyed(address=OPERATIONS),
    "a signing secret, as if it were a key": lambda: keyed(SECRET),
    "a signature": lambda: (signed(), {}),
    "a signature of yesterday": lambda: (signed(ago=86_400), {}),
    "a signature of another body, and the key": lambda: (signed(b"{}") | dict(keyed(KEY)[0]), {}),
    "a token of a named application with the role sender": borne,
    "a token of a named application with Event Grid's role": lambda: borne(
        roles=["AzureEventGridSecureWebhookSubscriber"]
    ),
    "a token of a named application without a role": lambda: borne(roles=None),
    "a token of another application with the role sender": lambda: borne(azp="another"),
    "a token with the role reader": lambda: borne(azp="another", roles=["reader"]),
    "a token with the role payloads alone": lambda: borne(roles=["payloads"]),
    "a token that has expired, and the key": lambda: (bearing(token(since=-9_000)) | dict(keyed(KEY)[0]), {}),
    "a token for another app": lambda: borne(aud="api://another"),
    "a token of another tenant": lambda: borne(iss="https://login.example/another/v2.0", tid="another"),
    "a token that somebody else has signed": lambda: borne(key="two", named="one"),
    "a token without a signature": lambda: borne(algorithm="none"),
    "a signature, and a token that has expired": lambda: (signed() | bearing(token(since=-9_000)), {}),
    "a token, while Entra cannot be reached for the first time": borne,
}


def entra_for(row: str) -> EntraTokens:
    entra = Entra()
    entra.is_away = "cannot be reached" in row
    return entra.tokens()


def shown(answer: func.HttpResponse, reason: str) -> str:
    """Status and reason of a refusal; an answer says no reason, the log does."""
    refused = 400 <= answer.status_code < 500
    return f"{answer.status_code} {reason}" if refused else str(answer.status_code)


async def at_the_intake(row: str, carried: Carried) -> str:
    under_test = UnderTest(tokens=entra_for(row), **SETTINGS)
    reasons: list[str] = []

    async def take_in(request: IntakeRequest) -> Any:
        try:
            return await under_test.intake.dataverse_webhook(request)
        except Rejected as error:
            reasons.append(error.reason)
            raise

    headers = {"content-type": "application/json", **carried[0]}
    asked = func.HttpRequest("POST", "https://app.example/api/dataverse/webhook", headers=headers,
                             params=carried[1], body=BODY)  # fmt: skip
    answer = await answered(asked, accepting(take_in, PublicAddress(None)))
    return shown(answer, *(reasons or [""]))


async def at_operations(row: str, carried: Carried) -> str:
    keys = CallerKeys({"support": [SecretStr(OPERATIONS)]}, in_query=False)
    staff = Staff(keys, {}, signed_in_by_platform=False, tokens=entra_for(row))
    reasons: list[str] = []

    async def ask() -> func.HttpResponse:
        try:
            await staff.admit(*carried)
        except Rejected as error:
            reasons.append(error.reason)
            raise
        return as_json({}, 200)

    return shown(await operations_answered(ask, away="", defect=""), *(reasons or [""]))


@pytest.mark.parametrize(("row", "intake", "operations"), table("What a request carries")[1:])
async def test_what_a_request_carries_decides_who_comes_in(row: str, intake: str, operations: str) -> None:
    """The columns are the intake and the routes of operations."""
    carried = CARRIED[row]()
    assert (await at_the_intake(row, carried), await at_operations(row, carried)) == (intake, operations)


def test_the_table_has_every_way_to_show_who_one_is() -> None:
    assert [row[0] for row in table("What a request carries")[1:]] == [*CARRIED]


PLUGIN: Final = {
    "EventName": "AccountUpdated",
    "RecordId": "aaaaaaaa-0000-4000-8000-000000000001",
    "Timestamp": "2026-11-26T12:01:47Z",
}
FLAT: Final = {
    "table": "account",
    "message": "Update",
    "id": "aaaaaaaa-0000-4000-8000-000000000001",
    "time": "2026-11-26T12:01:47Z",
    "operationId": "aaaaaaaa-0000-4000-8000-000000000002",
}
Endpoint = Callable[[UnderTest, Mapping[str, Any]], Any]


def request(body: Any) -> IntakeRequest:
    headers = {"content-type": "application/json", "x-functions-key": KEY}
    return IntakeRequest(headers, {}, json.dumps(body).encode())


ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "webhook": lambda it, sent: it.intake.dataverse_webhook(request(sent)),
    "plug-in": lambda it, _: it.intake.plugin_event(request(PLUGIN)),
    "row": lambda it, _: it.intake.row(request(FLAT)),
    "erp": lambda it, _: it.erp.events("order-shipped", request({"id": "1", "record": "2"})),
    "event-grid": lambda it, sent: it.event_grid.deliver(request(grid_event(sent))),
    "business-central": lambda it, _: it.business_central.notifications(
        request({"value": [entry(clientState=CLIENT_STATE)]})
    ),
    "dataverse-queue": lambda it, sent: it.endpoints.take_in(
        EndpointMessage(json.dumps(sent).encode()), "dataverse-queue"
    ),
}
CALLERS: Final = {"business-central": "business-central", "dataverse-queue": "dataverse-queue"}
STRANGER: Final = "99999999-0000-4000-8000-000000000009"
ROWS: Final[Mapping[str, Callable[[str], dict[str, str]]]] = {
    "may not send through this endpoint": lambda caller: {"INTAKE_RIGHTS": json.dumps({caller: {"endpoints": []}})},
    "may not send about this table": lambda caller: {"INTAKE_RIGHTS": json.dumps({caller: {"tables": ["lead"]}})},
    "has sent its requests of this minute": lambda caller: {
        "INTAKE_RIGHTS": json.dumps({caller: {"requestsPerMinute": 1}})
    },
    "sends for an organisation that is not served": lambda _: {"OWN_ORGANISATION_ONLY": "true"},
    "sends for an organisation that has sent its requests of this minute": lambda _: {
        "ORGANISATIONS": json.dumps({ORGANISATION: {"requestsPerMinute": 1}})
    },
}


async def sent_twice(under_test: UnderTest, endpoint: str, row: str) -> str:
    """What becomes of a request, or of the second one where the first one is taken."""
    sent = context(OrganizationId=STRANGER if "not served" in row else ORGANISATION)
    for _ in range(2):
        try:
            await ENDPOINTS[endpoint](under_test, sent)
        except Rejected as error:
            return str(error.status)
        except Unavailable:
            return "503"
    return "dead letter" if any(b"refused" in it for it in under_test.queue.envelopes) else "-"


@pytest.mark.parametrize(
    ("row", "endpoint", "expected"),
    [
        (row, endpoint, expected)
        for row, *cells in table("What a caller may do")[1:]
        for endpoint, expected in zip(table("What a caller may do")[0][1:], cells, strict=True)
    ],
)
async def test_rights_hold_at_every_endpoint(row: str, endpoint: str, expected: str) -> None:
    """The columns are the endpoints; where a right means nothing, everything is taken."""
    settings = {**SETTINGS, "OWN_ORGANISATION_ONLY": "false", "DATAVERSE_ORGANISATION": ORGANISATION}
    under_test = UnderTest(tokens=None, **settings | ROWS[row](CALLERS.get(endpoint, "caller")))
    assert await sent_twice(under_test, endpoint, row) == expected


def test_the_table_has_every_right_and_endpoint() -> None:
    names, *rows = table("What a caller may do")
    assert (names[1:], [row[0] for row in rows]) == ([*ENDPOINTS], [*ROWS])


def test_organisations_that_are_named_are_served_beside_the_own_one() -> None:
    own = "11111111-0000-4000-8000-000000000001"
    under_test = UnderTest(DATAVERSE_ORGANISATION=own, OWN_ORGANISATION_ONLY="true",
                           ORGANISATIONS=json.dumps({ORGANISATION: {}}))  # fmt: skip
    assert under_test.webhook(context(OrganizationId=ORGANISATION)).status == "accepted"
    assert under_test.webhook(context(OrganizationId=own)).status == "accepted"
    with pytest.raises(Rejected, match="ORGANISATIONS"):
        under_test.webhook(context(OrganizationId=STRANGER))
