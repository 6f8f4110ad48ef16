"""Access tokens of Entra: whom they were given to, which are refused, and what is read of Entra's keys."""

import asyncio
import base64
from typing import Any

import pytest

from integration.admission import Bearer
from integration.admission.signing_keys import DAY, PAUSE
from integration.errors import Rejected, Unavailable
from tests.unit.integration.admission.entra import (
    AUDIENCE,
    OTHER_TENANT,
    PARTNER,
    TENANT,
    Entra,
    Hand,
    bearing,
    issuer,
    token,
)


def bearer(text: str, entra: Entra | None = None) -> Bearer | None:
    return asyncio.run((entra or Entra()).tokens().bearer(bearing(text)))


def why(text: str, entra: Entra | None = None) -> str:
    """Why a token is refused."""
    with pytest.raises(Rejected) as refused:
        bearer(text, entra)
    assert (refused.value.status, refused.value.reason) == (401, "token-refused")
    return refused.value.detail


def test_an_application_is_known_by_its_client_id_and_roles() -> None:
    """In tokens of both versions, which have other issuers, audiences and claims."""
    assert bearer(token()) == Bearer(PARTNER, None, frozenset({"sender"}))
    first = token(aud=AUDIENCE, iss=issuer(version="1.0"), azp=None, appid=PARTNER.upper(), ver="1.0", roles=None)
    assert bearer(first) == Bearer(PARTNER, None, frozenset())


def test_a_person_is_known_by_name() -> None:
    found = bearer(token(preferred_username="anna@contoso.example", roles=["operator", "payloads"]))
    assert found is not None
    assert (found.name, sorted(found.roles)) == ("anna@contoso.example", ["operator", "payloads"])


def test_a_request_without_a_token_has_no_bearer_and_asks_nobody() -> None:
    entra = Entra()
    for headers in ({}, {"authorization": "Basic eDp5"}, {"x-functions-key": "key"}):
        assert asyncio.run(entra.tokens().bearer(headers)) is None
    assert entra.asked == []


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (token(since=-3_800), "expired"),
        (token(since=9_000), "not valid yet"),
        (token(aud="api://another"), "another app"),
        (token(aud=None), "missing"),
        (token(iss=issuer(OTHER_TENANT), tid=OTHER_TENANT), "TOKEN_TENANTS"),
        (token(tid=OTHER_TENANT), "not that of its issuer"),
        (token(tid=None), "missing"),
        (token(exp=None), "missing"),
        (token(azp=None), "which application"),
        (token(key="two", named="one"), "not signed with the key"),
        (token(key="two"), "no such key"),
        (token(algorithm="none"), "not signed with RS256"),
        (token(algorithm="HS256"), "not signed with RS256"),
        (token()[:-4] + "AAAA", "not signed with the key"),
        (token(roles=["x" * 20_000]), "longer than"),
        ("", "no JSON Web Token"),
        ("a.b.c", "no JSON Web Token"),
        ("\udcff", "no JSON Web Token"),
        ("é.é.é", "no JSON Web Token"),
        (base64.urlsafe_b64encode(b"[" * 9_000).decode() + ".e30.e30", "no JSON Web Token"),
    ],
)
def test_every_other_token_is_refused_and_says_why(refused: str, said: str) -> None:
    """A key of Entra's and a right audience open nothing by themselves."""
    assert said in why(refused)


def test_clocks_may_differ_by_two_minutes() -> None:
    assert bearer(token(since=100)) is not None
    assert bearer(token(since=-3_700)) is not None


def test_several_tenants_may_be_served() -> None:
    both = Entra(tenants=(TENANT, OTHER_TENANT))
    assert bearer(token(iss=issuer(OTHER_TENANT), tid=OTHER_TENANT), both) is not None
    assert bearer(token(), both) is not None
    assert "not that of its issuer" in why(token(iss=issuer(OTHER_TENANT)), both)


async def test_keys_are_read_once_for_many_tokens() -> None:
    """Also for those that come at once: two documents and two lists of keys."""
    entra = Entra()
    tokens = entra.tokens()
    found = await asyncio.gather(*(tokens.bearer(bearing(token())) for _ in range(20)))
    assert (len(found), len(entra.asked)) == (20, 4)
    assert {it.partition("/")[0] for it in entra.asked} == {TENANT}


async def test_a_token_of_a_new_key_is_admitted_at_once() -> None:
    """Entra may change keys at any time. Tokens of older keys hold as long as those are published."""
    entra, clock = Entra("one"), Hand()
    tokens = entra.tokens(clock)
    await tokens.bearer(bearing(token()))
    clock.seconds += PAUSE
    entra.published = ["one", "two"]
    assert await tokens.bearer(bearing(token(key="two"))) is not None
    assert await tokens.bearer(bearing(token(key="one"))) is not None
    clock.seconds += PAUSE
    entra.published = ["two", "three"]
    assert await tokens.bearer(bearing(token(key="three"))) is not None
    with pytest.raises(Rejected, match="no such key"):
        await tokens.bearer(bearing(token(key="one")))


async def test_made_up_keys_do_not_make_the_app_ask_again_and_again() -> None:
    entra, clock = Entra(), Hand()
    tokens = entra.tokens(clock)
    for number in range(50):
        with pytest.raises(Rejected, match="no such key"):
            await tokens.bearer(bearing(token(key="two", named=f"made-up-{number}")))
    assert len(entra.asked) == 4
    clock.seconds += PAUSE
    with pytest.raises(Rejected, match="no such key"):
        await tokens.bearer(bearing(token(key="two", named="made-up")))
    assert len(entra.asked) == 8


async def test_keys_are_read_again_after_a_day_while_nobody_waits() -> None:
    """And known keys hold while Entra is away."""
    entra, clock = Entra(), Hand()
    tokens = entra.tokens(clock)
    await tokens.bearer(bearing(token()))
    clock.seconds += DAY + 1
    entra.is_away = True
    assert await tokens.bearer(bearing(token())) is not None
    await asyncio.sleep(0.01)
    assert len(entra.asked) == 5
    entra.is_away = False
    clock.seconds += PAUSE
    assert await tokens.bearer(bearing(token())) is not None
    await asyncio.sleep(0.01)
    assert len(entra.asked) == 9


async def test_a_token_that_cannot_be_checked_yet_is_put_off(caplog: pytest.LogCaptureFixture) -> None:
    """503, and not 401: the caller is not to blame. It is not asked again at once."""
    entra, clock = Entra(), Hand()
    entra.is_away = True
    tokens = entra.tokens(clock)
    for _ in range(3):
        with pytest.raises(Unavailable) as put_off:
            await tokens.bearer(bearing(token()))
        assert put_off.value.retry_after == PAUSE
    assert len(entra.asked) == 1
    assert "token-keys-unavailable" in caplog.text
    entra.is_away = False
    clock.seconds += PAUSE
    assert await tokens.bearer(bearing(token())) is not None


@pytest.mark.parametrize(
    "answers",
    [
        {"discovery/keys": {"keys": "none"}},
        {".well-known/openid-configuration": {"issuer": "x"}},
        {".well-known/openid-configuration": {"issuer": "x", "jwks_uri": "keys"}},
    ],
)
def test_answers_that_are_not_those_of_entra_are_no_keys(answers: dict[str, Any]) -> None:
    entra = Entra()
    entra.answers = answers
    with pytest.raises(Unavailable):
        bearer(token(), entra)


def test_keys_for_something_else_are_left_out() -> None:
    """Published beside the others: of another kind, for encryption, without an id, broken."""
    entra = Entra()
    odd = [{"kty": "EC", "kid": "a"}, {"kty": "RSA", "use": "enc", "kid": "b"}, {"kty": "RSA", "kid": "c"}, {}]
    entra.answers = {"discovery/keys": {"keys": odd}}
    assert bearer(token(), entra) is not None
    assert "no such key" in why(token(key="two", named="c"), entra)
