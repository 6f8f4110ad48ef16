"""Tokens of a credential of azure-identity."""

from types import SimpleNamespace

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from integration.errors import Outage
from integration.transport import BearerTokens
from integration.transport.identity import credential_tokens
from tests.unit.integration.transport.parts import ManualClock

SCOPE = "https://storage.azure.com/.default"


class Credential:
    """Gives tokens that hold for an hour of the clock, or fails."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.made = 0
        self.asked: list[str] = []
        self.error: Exception | None = None

    def make(self) -> "Credential":
        self.made += 1
        return self

    def get_token(self, scope: str) -> SimpleNamespace:
        self.asked.append(scope)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(token=f"t{len(self.asked)}", expires_on=self._clock.now().timestamp() + 3600)


@pytest.fixture
def credential(clock: ManualClock) -> Credential:
    return Credential(clock)


@pytest.fixture
def tokens(credential: Credential, clock: ManualClock) -> BearerTokens:
    return credential_tokens(credential.make, service="ledger", scope=SCOPE, clock=clock)


async def test_a_token_is_kept_until_it_ends_and_the_credential_for_good(
    credential: Credential, tokens: BearerTokens, clock: ManualClock
) -> None:
    """Nothing is made before the first call, as importing azure-identity takes its time."""
    assert credential.made == 0
    assert await tokens.headers() == {"Authorization": "Bearer t1"}
    clock.elapsed = 1800
    assert await tokens.headers() == {"Authorization": "Bearer t1"}
    clock.elapsed = 3700
    assert await tokens.headers() == {"Authorization": "Bearer t2"}
    assert (credential.made, credential.asked) == (1, [SCOPE, SCOPE])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClientAuthenticationError("no such identity"), "ledger-sign-in-refused"),
        (ServiceRequestError("nobody answers"), "ledger-sign-in-unavailable"),
    ],
)
async def test_a_failure_says_whether_somebody_has_to_mend_it(
    credential: Credential, tokens: BearerTokens, error: Exception, reason: str
) -> None:
    """And the next call asks again."""
    credential.error = error
    with pytest.raises(Outage) as raised:
        await tokens.headers()
    assert (raised.value.reason, raised.value.service) == (reason, "ledger")
    credential.error = None
    assert await tokens.headers() == {"Authorization": "Bearer t2"}
