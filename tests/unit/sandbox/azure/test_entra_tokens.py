"""Tokens of Entra ID in place of SAS keys: the broker takes those of applications that it knows, and no others."""

import time
from typing import Any

import jwt
import pytest

from sandbox.azure.entra_tokens import Application, holder
from sandbox.azure.shared_access import SEND

WHO = "0a0a0a0a-1111-4111-8111-000000000001"
KNOWN = {WHO: Application.parse(f"{WHO.upper()};Send")}
NOW = time.time()


def token(**changed: Any) -> str:
    claims = {"aud": "https://servicebus.azure.net/", "appid": WHO, "exp": int(NOW) + 60, **changed}
    return jwt.encode(claims, "a key of the length that this algorithm needs", algorithm="HS256")


@pytest.mark.parametrize("changed", [{}, {"aud": "https://eventhubs.azure.net"}, {"appid": None, "azp": WHO}])
def test_the_token_of_a_known_application_gives_its_rights(changed: dict[str, Any]) -> None:
    found = holder(token(**changed), KNOWN, NOW)
    assert found is not None
    assert found.rights == {SEND}


@pytest.mark.parametrize(
    "changed", [{"aud": "https://storage.azure.com/"}, {"appid": "another"}, {"exp": int(NOW) - 1}, {"exp": "soon"}]
)
def test_a_token_for_something_else_of_another_or_of_the_past_gives_none(changed: dict[str, Any]) -> None:
    assert holder(token(**changed), KNOWN, NOW) is None


@pytest.mark.parametrize("text", ["", "SharedAccessSignature sr=x", "a.!!!.c", "a.W10.c"])
def test_what_is_no_token_gives_none(text: str) -> None:
    assert holder(text, KNOWN, NOW) is None


def test_an_application_has_a_name_and_rights_that_exist() -> None:
    for text in (";Send", f"{WHO};Write"):
        with pytest.raises(ValueError, match="CLIENT_ID"):
            Application.parse(text)
