"""A caller signs in place of sending a key, as Standard Webhooks has it."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import SystemClock
from integration.errors import ConfigurationError, Rejected
from integration.intake import IntakeRequest
from integration.signatures import is_current, is_signed_with, secret_of
from tests.unit.integration.events.support import context
from tests.unit.integration.intake.support import KEY, UnderTest

# That of the specification's example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
BODY = json.dumps(context()).encode()


def signed(*, secret: str = SECRET, body: bytes = BODY, ago: float = 0.0, **changed: str) -> dict[str, str]:
    """The headers of a request that was signed so many seconds ago."""
    at = str(int((datetime.now(UTC) - timedelta(seconds=ago)).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(hmac.digest(key, f"msg_1.{at}.".encode() + body, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{made}",
    } | {name.replace("_", "-"): value for name, value in changed.items()}


def post(headers: dict[str, str], *, keys: Any = (SECRET,), **params: str) -> str | None:
    """The caller that the intake admits."""
    under_test = UnderTest(INTAKE_KEYS=json.dumps({"shop": [*keys], "dataverse": [KEY]}))
    asyncio.run(under_test.intake.dataverse_webhook(IntakeRequest(headers, params, BODY)))
    return under_test.queue.events[0].caller


def test_the_example_of_the_specification() -> None:
    """Computed by others: https://github.com/standard-webhooks/standard-webhooks."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert is_signed_with(secret_of(SECRET), headers, b'{"test": 2432232314}')
    assert not is_signed_with(secret_of(SECRET), headers, b'{"test": 2432232315}')


@pytest.mark.parametrize(("seconds", "current"), [(299, True), (301, False), (-299, True), (-301, False)])
def test_a_request_is_current_for_five_minutes_either_way(seconds: int, current: bool) -> None:
    class Still(SystemClock):
        def now(self) -> datetime:
            return datetime.fromtimestamp(1_614_265_330 + seconds, UTC)

    assert is_current({"webhook-timestamp": "1614265330"}, Still()) is current


def test_who_signs_is_admitted_and_named() -> None:
    assert post(signed()) == "shop"
    assert post(signed(secret=NEXT), keys=(SECRET, NEXT)) == "shop"
    several = signed()
    assert post(several | {"webhook-signature": f"v1a,x v1,AAAA {several['webhook-signature']}"}) == "shop"


def test_a_key_still_does_for_others() -> None:
    assert post({"content-type": "application/json", "x-functions-key": KEY}) == "dataverse"


@pytest.mark.parametrize(
    "headers",
    [
        signed(secret=NEXT),
        signed(body=b"{}"),
        signed(ago=4_000),
        signed(ago=-4_000),
        signed(webhook_id="msg_2"),
        signed(webhook_timestamp="now"),
        signed(webhook_timestamp="1" * 30),
        signed(webhook_timestamp="\u0661"),
        signed(webhook_signature=""),
        signed(webhook_signature="v1,"),
        signed(webhook_signature="v1,\udcff"),
        signed(webhook_signature="nonsense") | {"x-functions-key": KEY},
        {name: value for name, value in signed().items() if name != "webhook-timestamp"},
    ],
)
def test_a_wrong_signature_is_refused(headers: dict[str, str]) -> None:
    """Another secret, body, id or time, an old request, no time; a right key does not rescue it."""
    with pytest.raises(Rejected, match="within 5 minutes") as refused:
        post(headers)
    assert (refused.value.status, refused.value.reason) == (401, "signature-refused")


@pytest.mark.parametrize("where", ["header", "query"])
def test_a_secret_is_no_key(where: str) -> None:
    """Who sends it has shown it to whoever listens."""
    headers = {"content-type": "application/json"} | ({"x-functions-key": SECRET} if where == "header" else {})
    params = {"code": SECRET} if where == "query" else {}
    with pytest.raises(Rejected) as refused:
        post(headers, **params)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_not base64 at all", "whsec_" + base64.b64encode(b"short").decode()]
)
def test_a_secret_that_is_none_does_not_let_the_app_start(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="INTAKE_KEYS"):
        post({}, keys=(secret.ljust(16),))
