"""The routes for subscribers over HTTP: status codes, headers, who is admitted."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from integration.admission import CallerKeys, Senders
from integration.clock import SystemClock
from integration.errors import Outage
from integration.intake import TakingIn
from integration.public_address import PublicAddress
from integration.settings import Settings
from integration.webhooks.functions import routes
from tests.claim_kit import claim_check
from tests.unit.integration.intake.support import KEY, Sent, Written
from tests.unit.integration.settings.test_reading import environment
from tests.unit.integration.webhooks.world import URL, World

ASKED = {"url": URL}


def call(
    world: World, name: str, body: Any = None, *, key: str = KEY, subscription_id: str = "", **settings: str
) -> func.HttpResponse:
    """Call a function as the host does; the key is that of the caller `dataverse`."""
    read = Settings.from_environment(environment(**settings))
    app = func.FunctionApp()
    taking_in = TakingIn(read, Senders(CallerKeys(read.intake_keys)), Sent(), Written(), claim_check(), SystemClock())
    app.register_functions(routes(world.subscribing, taking_in, PublicAddress("https://app.example")))
    functions = {str(it.get_function_name()): it.get_user_function() for it in app.get_functions()}
    request = func.HttpRequest(
        "POST",
        "https://app.example/api/subscriptions",
        headers={"x-functions-key": key, "content-type": "application/json"},
        params={},
        route_params={"subscription_id": subscription_id},
        body=b"" if body is None else json.dumps(body).encode(),
    )
    answer = asyncio.run(functions[name](request))
    assert isinstance(answer, func.HttpResponse)
    return answer


def body_of(answer: func.HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.get_body())
    return found


def test_a_subscription_is_201_with_the_absolute_address_that_ends_it() -> None:
    """Power Automate sends DELETE to the Location when the flow is switched off."""
    world = World()
    answer = call(world, "subscribe", ASKED)

    made = body_of(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"https://app.example/api/subscriptions/{made['id']}"
    assert [call(world, "unsubscribe", subscription_id=made["id"]).status_code for _ in range(2)] == [204, 204]
    assert call(world, "show_subscription", subscription_id=made["id"]).status_code == 404


def test_it_can_be_listed_shown_and_renewed() -> None:
    world = World()
    made = body_of(call(world, "subscribe", ASKED))

    [listed] = body_of(call(world, "list_subscriptions"))["subscriptions"]
    assert listed == body_of(call(world, "show_subscription", subscription_id=made["id"]))
    assert listed.keys() == made.keys() - {"secret"}
    renewed = call(world, "renew_subscription", {"newSecret": True}, subscription_id=made["id"])
    assert (renewed.status_code, body_of(renewed)["secret"] != made["secret"]) == (200, True)
    assert call(world, "renew_subscription", subscription_id=made["id"]).status_code == 200


@pytest.mark.parametrize("name", ["subscribe", "list_subscriptions", "show_subscription", "renew_subscription"])
def test_only_callers_with_a_key_and_the_right_subscribe(name: str) -> None:
    rights = json.dumps({"dataverse": {"endpoints": ["webhook"]}})

    assert call(World(), name, ASKED, key="wrong").status_code == 401
    assert call(World(), name, ASKED, INTAKE_RIGHTS=rights).status_code == 403


def test_a_subscription_keeps_to_the_tables_of_its_caller() -> None:
    rights = json.dumps({"dataverse": {"tables": ["account"]}})

    assert body_of(call(World(), "subscribe", ASKED, INTAKE_RIGHTS=rights))["tables"] == ["account"]
    refused = call(World(), "subscribe", ASKED | {"tables": ["contact"]}, INTAKE_RIGHTS=rights)
    assert (refused.status_code, body_of(refused)["errors"][0]["pointer"]) == (400, "/tables")


def test_what_is_no_json_is_refused_and_tables_that_are_away_are_503() -> None:
    world = World()
    assert call(world, "subscribe").status_code == 400
    assert call(world, "subscribe", [1]).status_code == 400
    world.table.away = True
    assert call(world, "list_subscriptions").status_code == 503


def test_a_defect_is_503_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world.store, "of", lambda _owner: 1 / 0)
    answer = call(world, "list_subscriptions")
    assert answer.status_code == 503
    assert Outage.__name__.encode() not in answer.get_body()
