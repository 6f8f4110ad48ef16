"""Signing in to an environment as somebody who may customise it: by az, by client secret, or by device code."""

from collections.abc import Callable
from typing import Any, Final

from integration.clock import Clock
from integration.dataverse import client_secret_tokens, scope_of
from integration.errors import ConfigurationError
from integration.registration.declaration import SignIn, secret
from integration.transport import Authorizer, Transport, credential_tokens

WAYS: Final = ("az", "client-secret", "device-code")
DEVELOPMENT_CLIENT: Final = "51f81489-12ee-4a9e-aaae-a2591f45987d"
"""Microsoft's public client for development against Dataverse, which exists in every tenant (its quick starts)."""


def authorizer(
    way: str,
    url: str,
    given: SignIn,
    transport: Transport,
    clock: Clock,
    *,
    say: Callable[[str], None],
    find_secret: Callable[[str], str] = secret,
) -> Authorizer:
    """Tokens for the environment at `url`; `say` gets the code that a person has to enter.

    Raises `ConfigurationError` for what the values lack.
    """
    if way == "client-secret":
        if not (given.tenant and given.client_id and given.client_secret):
            raise ConfigurationError("A sign-in by client secret needs sign-in.tenant, client-id and client-secret.")
        return client_secret_tokens(
            transport,
            authority=str(given.authority),
            tenant_id=given.tenant,
            client_id=given.client_id,
            client_secret=find_secret(given.client_secret),
            dataverse_url=url,
            instance_discovery=given.instance_discovery,
            clock=clock,
        )
    make = _azure_cli if way == "az" else (lambda: _device_code(given, say))
    return credential_tokens(make, service="dataverse", scope=scope_of(url), clock=clock)


def _azure_cli() -> Any:
    from azure.identity import AzureCliCredential  # noqa: PLC0415 -- slow to import, and needed for this way only

    return AzureCliCredential()


def _device_code(given: SignIn, say: Callable[[str], None]) -> Any:
    from azure.identity import DeviceCodeCredential  # noqa: PLC0415 -- as above

    def prompt(address: str, code: str, _expires: object) -> None:
        say(f"Open {address} and enter the code {code}.")

    return DeviceCodeCredential(
        client_id=given.client_id or DEVELOPMENT_CLIENT,
        tenant_id=given.tenant,
        authority=str(given.authority),
        prompt_callback=prompt,
        disable_instance_discovery=not given.instance_discovery,
    )
