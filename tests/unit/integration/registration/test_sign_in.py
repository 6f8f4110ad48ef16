"""The ways in which a person signs in to an environment: by az, and by a code that is entered in a browser."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.identity
import pytest

from integration.clock import SystemClock
from integration.errors import ConfigurationError
from integration.registration.declaration import SignIn
from integration.registration.sign_in import DEVELOPMENT_CLIENT, authorizer
from integration.transport import Authorizer, Transport

URL = "https://contoso.crm4.dynamics.example"


def sign_in(way: str, said: list[str] | None = None, **given: Any) -> Authorizer:
    say = (said if said is not None else []).append
    clock = SystemClock()
    return authorizer(way, URL, SignIn(**given), Transport([], clock=clock), clock, say=say)


@pytest.mark.skipif(sys.platform == "win32", reason="a stand-in for az that is a shell script")
async def test_az_is_asked_for_a_token_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft's library runs it, as whoever is signed in there."""
    az = tmp_path / "az"
    answer = f'{{"accessToken": "of-az", "expires_on": {int(time.time()) + 3600}}}'
    az.write_text(f"#!/bin/sh\necho \"$@\" > '{tmp_path}/asked'\necho '{answer}'\n", encoding="utf-8")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert await sign_in("az").headers() == {"Authorization": "Bearer of-az"}
    assert URL in (tmp_path / "asked").read_text("utf-8")


@pytest.mark.parametrize(("given", "client"), [({}, DEVELOPMENT_CLIENT), ({"client_id": "of-us"}, "of-us")])
async def test_a_person_is_shown_the_code_and_where_to_enter_it(
    given: dict[str, str], client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Microsoft's client for development, unless the values name another one."""
    made: dict[str, Any] = {}

    class Credential:
        """In place of Microsoft's, which would ask Microsoft."""

        def __init__(self, *, prompt_callback: Callable[[str, str, object], None], **options: Any) -> None:
            made.update(options)
            self._prompt = prompt_callback

        def get_token(self, scope: str) -> Any:
            self._prompt("https://microsoft.com/devicelogin", "ABC123", None)
            return SimpleNamespace(token=f"for {scope}", expires_on=time.time() + 3600)

    monkeypatch.setattr(azure.identity, "DeviceCodeCredential", Credential)
    said: list[str] = []
    headers = await sign_in("device-code", said, tenant="a-tenant", **given).headers()
    assert headers == {"Authorization": f"Bearer for {URL}/.default"}
    assert said == ["Open https://microsoft.com/devicelogin and enter the code ABC123."]
    assert (made["client_id"], made["tenant_id"]) == (client, "a-tenant")


def test_a_client_secret_needs_to_be_named_with_its_application() -> None:
    with pytest.raises(ConfigurationError, match=r"sign-in\.tenant, client-id and client-secret"):
        sign_in("client-secret", tenant="a-tenant")
