"""Who may subscribe to what, and what is shown of it."""

import asyncio
from typing import Any

import pytest

from integration.errors import Rejected
from integration.webhooks import subscribing
from tests.unit.integration.webhooks.world import URL, World


def faults_of(world: World, *, rights: frozenset[str] | None = None, **asked: Any) -> set[str]:
    with pytest.raises(Rejected) as refused:
        world.subscribe(rights=rights, **asked)
    assert refused.value.status == 400
    return {fault.pointer for fault in refused.value.faults}


def test_a_secret_is_shown_once_and_the_query_of_the_address_never() -> None:
    """The addresses of Power Automate and Logic Apps have a signature in their query."""
    world = World()
    made = world.subscribe()

    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert made.receiver == "https://flows.contoso.example/hook"
    for later in (world.shown(made), *asyncio.run(world.subscribing.of("flows")).subscriptions):
        assert later == made.model_copy(update={"secret": None})


@pytest.mark.parametrize(
    "url",
    [
        "http://flows.contoso.example/hook",
        "https://127.0.0.1/hook",
        "https://10.0.0.4/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.4]/hook",
        "https://169.254.169.254/metadata",
        "https://168.63.129.16/",
        "https://2130706433/hook",
        "https://localhost/hook",
        "https://user:password@flows.contoso.example/",
        "https://flows.contoso.example/#part",
        "ftp://flows.contoso.example/",
        "https:///hook",
        "https://flows.contoso.example:99999/",
        "https://flows.contoso.example/a\nb",
        "flows",
    ],
)
def test_only_public_https_addresses_may_be_named(url: str) -> None:
    assert faults_of(World(), url=url) == {"/url"}


def test_what_is_wrong_is_named() -> None:
    assert faults_of(World(), url=None) == {"/url"}
    assert faults_of(World(), outcomes=["maybe"]) == {"/outcomes/0"}
    assert faults_of(World(), flows=["lead"]) == {"/flows"}


def test_a_caller_is_told_of_its_own_tables_only() -> None:
    world, own = World(), frozenset({"account"})

    assert world.subscribe(rights=own).tables == ("account",)
    assert world.subscribe(rights=own, outcomes=["done"]).tables == ("account",)
    assert faults_of(world, rights=own, tables=["contact", "account"]) == {"/tables"}


def test_nobody_sees_or_ends_the_subscriptions_of_another_caller() -> None:
    world = World()
    made = world.subscribe()

    assert asyncio.run(world.subscribing.of("other")).subscriptions == []
    for ask in (world.subscribing.one("other", made.id), world.subscribing.renew("other", made.id, b"")):
        with pytest.raises(Rejected) as refused:
            asyncio.run(ask)
        assert refused.value.status == 404
    asyncio.run(world.subscribing.end("other", made.id))
    assert world.shown(made).enabled


def test_ending_it_twice_is_no_failure() -> None:
    """Power Automate deletes what the app may have removed itself."""
    world = World()
    made = world.subscribe()

    for _ in range(2):
        asyncio.run(world.subscribing.end("flows", made.id))
    assert asyncio.run(world.subscribing.of("flows")).subscriptions == []


def test_an_id_that_is_none_is_404() -> None:
    with pytest.raises(Rejected, match="no subscription"):
        asyncio.run(World().subscribing.one("flows", "x' or 1 eq 1"))


def test_a_new_secret_is_used_beside_the_last_one_until_the_next_renewal() -> None:
    """So that a receiver can change over without losing a notification."""
    world = World()
    made = world.subscribe()

    renewed = asyncio.run(world.subscribing.renew("flows", made.id, b'{"newSecret": true}'))
    both = asyncio.run(world.store.of("flows"))[0].secrets
    asyncio.run(world.subscribing.renew("flows", made.id, b""))

    assert both == (renewed.secret, made.secret)
    assert asyncio.run(world.store.of("flows"))[0].secrets == (renewed.secret,)


def test_a_caller_has_so_many_subscriptions_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "MOST", 1)
    world = World()
    world.subscribe()
    with pytest.raises(Rejected) as refused:
        world.subscribe(url=URL)
    assert refused.value.status == 409
