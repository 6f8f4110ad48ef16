"""The endpoint for Business Central's webhooks: it must not lose a subscription, and must not believe anybody."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from integration.clock import SystemClock
from integration.errors import Rejected, Transient, Unavailable
from integration.intake import Accepted, BusinessCentralIntake, TakingIn
from integration.intake.watched_company import WatchedCompany
from integration.public_address import PublicAddress
from tests.unit.integration.intake.support import COMPANY, HEADERS, UnderTest, request

STATE = "the-client-state-of-our-subscriptions"
KEYS = json.dumps({"dataverse": ["replace-this-intake-key"], "business-central": [STATE, f"next-{STATE}"]})
ORDER = "6f1b8f0e-6c8f-4d0c-9a55-3f0b2f5f8c11"
AT = "2026-11-20T19:05:00.123Z"


def under_test() -> UnderTest:
    return UnderTest(INTAKE_KEYS=KEYS)


def entry(**changed: Any) -> dict[str, Any]:
    return {
        "subscriptionId": "salesOrderSubscription",
        "clientState": STATE,
        "expirationDateTime": "2026-11-23T19:05:00Z",
        "resource": f"https://api.businesscentral.dynamics.com/v2.0/sandbox/api/v2.0/companies({COMPANY})/salesOrders({ORDER})",
        "changeType": "updated",
        "lastModifiedDateTime": AT,
    } | changed


def notify(it: UnderTest, *entries: Any) -> list[Accepted]:
    sent = request({"value": list(entries)}, {"x_functions_key": ""})
    return asyncio.run(it.business_central.notifications(sent))


def call(it: UnderTest, params: dict[str, str], body: bytes = b"") -> func.HttpResponse:
    app = func.FunctionApp()
    app.register_functions(it.blueprint(PublicAddress(None)))
    functions = {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}
    url = "https://app.example/api/erp/business-central"
    answer = asyncio.run(
        functions["business_central_webhook"](func.HttpRequest("POST", url, headers=HEADERS, params=params, body=body))
    )
    assert isinstance(answer, func.HttpResponse)
    return answer


def test_the_handshake_gives_the_token_back_as_plain_text() -> None:
    """Without a key: Business Central asks before there is a subscription, and the answer says nothing."""
    answer = call(under_test(), {"validationToken": "7a0f3a5e"})
    assert (answer.status_code, answer.get_body(), answer.mimetype) == (200, b"7a0f3a5e", "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("token", ["", " ", "a b", "a\r\nb", "x" * 3000])
def test_what_is_no_token_is_no_handshake(token: str) -> None:
    assert call(under_test(), {"validationToken": token}).status_code == 400


def test_a_notification_becomes_an_event_of_its_record() -> None:
    it = under_test()
    [accepted] = notify(it, entry())
    [event] = it.queue.events
    assert (event.table, event.message, event.record_id) == ("erp.order", "order-changed", ORDER)
    assert (event.event_id, event.caller) == (accepted.event_id, "business-central")


@pytest.mark.parametrize("how", ["created", "updated", "deleted"])
def test_whatever_has_happened_the_record_is_looked_at(how: str) -> None:
    """An order that is posted is reported as deleted."""
    assert len(notify(under_test(), entry(changeType=how))) == 1


def test_a_repeated_notification_is_the_same_event_whatever_subscription_it_came_from() -> None:
    """An unknown subscription with our secret is one of ours, of another deployment or from before a renewal."""
    it = under_test()
    first, again = notify(it, entry()), notify(it, entry(subscriptionId="another one"))
    assert first[0].event_id == again[0].event_id
    assert notify(it, entry(lastModifiedDateTime="2026-11-20T19:06:00Z"))[0].event_id != first[0].event_id


@pytest.mark.parametrize("state", ["", "guessed", "replace-this-intake-key", None, 5])
def test_without_our_client_state_nothing_is_believed(state: object) -> None:
    """Nor with the key of another caller; the answer makes Business Central end a subscription that is not ours."""
    it = under_test()
    with pytest.raises(Rejected) as refused:
        notify(it, entry(clientState=state))
    assert (refused.value.status, it.queue.envelopes) == (401, [])


def test_two_client_states_are_good_while_one_is_rotated() -> None:
    assert len(notify(under_test(), entry(clientState=f"next-{STATE}"))) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {
            "changeType": "collection",
            "resource": f"companies({COMPANY})/salesOrders?$filter=lastModifiedDateTime gt {AT}",
        },
        {"resource": f"https://bc.example/api/v2.0/companies({COMPANY})/items({ORDER})"},
        {"resource": f"https://bc.example/api/v2.0/companies({ORDER})/salesOrders({ORDER})"},
        {"resource": 5},
        {"lastModifiedDateTime": "yesterday"},
    ],
)
def test_what_names_no_record_that_is_watched_is_left_to_the_sweep(odd: dict[str, Any]) -> None:
    """It is accepted: a refusal would end the subscription."""
    it = under_test()
    assert notify(it, entry(**odd)) == []
    assert len(notify(it, entry(**odd), entry())) == 1


def test_a_mixture_is_taken_in_as_far_as_it_is_ours() -> None:
    assert len(notify(under_test(), entry(clientState="guessed"), entry())) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"value": []}', b'{"value": 5}'])
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        asyncio.run(under_test().business_central.notifications(request(body, {})))
    assert refused.value.status == 400


def test_a_queue_that_is_away_is_503_so_that_it_comes_again() -> None:
    it = under_test()
    it.queue.fails = Transient("away", reason="broker-unavailable")
    with pytest.raises(Unavailable):
        notify(it, entry())


def test_without_a_business_central_there_is_no_such_endpoint() -> None:
    it = under_test()
    taking_in: TakingIn = it.business_central._taking_in
    bare = BusinessCentralIntake(taking_in, None)
    with pytest.raises(Rejected) as refused:
        asyncio.run(bare.notifications(request({"value": [entry()]}, {})))
    assert refused.value.status == 404


def test_a_flow_that_is_switched_off_takes_no_notifications() -> None:
    it = under_test()
    watched = WatchedCompany("erp", COMPANY, [], organisation="o", clock=SystemClock())
    it.business_central = BusinessCentralIntake(it.business_central._taking_in, watched)
    assert notify(it, entry()) == []
