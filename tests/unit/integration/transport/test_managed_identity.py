"""Tokens of a managed identity, from an identity endpoint as App Service and Functions have it."""

import os
import subprocess
import sys
import time

import pytest

from tests.unit.integration.transport.parts import Server, reply

PROGRAM = """
import asyncio
from integration.clock import SystemClock
from integration.errors import Outage
from integration.transport import managed_identity_tokens

tokens = managed_identity_tokens(
    service="dataverse", scope="https://org.crm.dynamics.com/.default", client_id="the-identity", clock=SystemClock()
)


async def twice():
    return [(await tokens.headers())["Authorization"] for _ in range(2)]


try:
    print(*asyncio.run(twice()))
except Outage as error:
    print(error.reason)
"""


def ask(server: Server) -> str:
    """What a process says that runs where the identity endpoint is; azure-identity looks for it in the environment."""
    environment = os.environ | {"IDENTITY_ENDPOINT": f"{server.url}/msi/token", "IDENTITY_HEADER": "shared"}
    done = subprocess.run(  # noqa: S603 -- this very interpreter
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_a_token_is_asked_for_once_for_this_environment_and_identity(server: Server) -> None:
    expires = int(time.time()) + 86_400
    server.answer(reply(200, b'{"access_token":"abc","expires_on":"%d","token_type":"Bearer"}' % expires))
    assert ask(server) == "Bearer abc Bearer abc"
    (heard,) = server.heard
    assert b"resource=https%3A%2F%2Forg.crm.dynamics.com" in heard or b"resource=https://org.crm.dynamics.com" in heard
    assert b"client_id=the-identity" in heard
    assert b"x-identity-header: shared" in heard.lower()


@pytest.mark.parametrize("status", [400, 403])
def test_an_identity_that_is_not_admitted_lets_events_wait(server: Server, status: int) -> None:
    server.answer(reply(status, b'{"statusCode":400,"message":"No such identity"}'))
    assert ask(server) == "dataverse-sign-in-refused"
