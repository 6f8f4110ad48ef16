"""The app checks tokens that Entra's stand-in has signed for it, and reads the keys over HTTP."""

from typing import Any

import pytest

from integration.admission import EntraTokens, SigningKeys
from integration.admission.signing_keys import PAUSE
from integration.clock import SystemClock
from integration.errors import Rejected
from integration.transport import Transport
from tests.contract.sandbox.systems.stand_in import StandIn


class Hand(SystemClock):
    """A clock whose monotonic time can be set forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def environment(system: StandIn) -> dict[str, Any]:
    found: dict[str, Any] = system.control("GET", "environment").json()
    return found


def bearing(system: StandIn, audience: str, client: str = "human") -> dict[str, str]:
    """The header with a token that the stand-in gives for this audience."""
    who = environment(system)
    form = {
        "grant_type": "client_credentials",
        "client_id": who[client]["client_id"],
        "client_secret": who[client]["secret"],
        "scope": f"{audience}/.default",
    }
    answer = system.http.post(f"{system.url}/{who['tenant_id']}/oauth2/v2.0/token", data=form, timeout=5)
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def tokens(system: StandIn, transport: Transport, clock: SystemClock, **changed: Any) -> EntraTokens:
    who = environment(system) | changed
    keys = SigningKeys(transport, clock, authority=system.url, tenants=[who["tenant_id"]])
    return EntraTokens(keys, who["app_audiences"])


async def test_tokens_of_both_versions_say_who_sends(dataverse_system: StandIn, transport: Transport) -> None:
    """Their audience, issuer and claims differ; the application and its roles are the same."""
    checked, who = tokens(dataverse_system, transport, SystemClock()), environment(dataverse_system)
    for audience in who["app_audiences"]:
        found = await checked.bearer(bearing(dataverse_system, audience))
        assert found is not None
        assert (found.application, sorted(found.roles)) == (who["human"]["client_id"], ["operator", "sender"])
        without = await checked.bearer(bearing(dataverse_system, audience, "application"))
        assert without is not None
        assert without.roles == frozenset()


async def test_a_token_for_dataverse_opens_nothing(dataverse_system: StandIn, transport: Transport) -> None:
    checked = tokens(dataverse_system, transport, SystemClock())
    with pytest.raises(Rejected, match="no JSON Web Token"):
        await checked.bearer(bearing(dataverse_system, dataverse_system.url))


async def test_a_token_for_another_app_opens_nothing(dataverse_system: StandIn, transport: Transport) -> None:
    first, second = environment(dataverse_system)["app_audiences"]
    checked = tokens(dataverse_system, transport, SystemClock(), app_audiences=[first])
    with pytest.raises(Rejected, match="for another app"):
        await checked.bearer(bearing(dataverse_system, second))


async def test_when_keys_change_tokens_of_either_key_are_admitted(
    dataverse_system: StandIn, transport: Transport
) -> None:
    clock, audience = Hand(), environment(dataverse_system)["app_audiences"][0]
    checked, before = tokens(dataverse_system, transport, clock), bearing(dataverse_system, audience)
    assert await checked.bearer(before) is not None
    dataverse_system.control("POST", "signing-keys")
    clock.ahead = PAUSE
    assert await checked.bearer(bearing(dataverse_system, audience)) is not None
    assert await checked.bearer(before) is not None
