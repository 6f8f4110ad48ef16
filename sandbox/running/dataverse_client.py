"""Signs in to the Dataverse stand-in, and asks it about its environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from sandbox.running.endpoints import DataverseClient

_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Environment:
    """The stand-in's organisation, the integration's app registration, and that of a person who works in the app.

    What is changed with the person's client is a user's change. `app_audiences` are whom access tokens for the app are
    for.
    """

    url: str
    organisation_id: str
    application: DataverseClient
    person: DataverseClient
    app_audiences: tuple[str, ...]

    @classmethod
    def of(cls, url: str, ca_file: str | Path) -> Self:
        """Ask the stand-in at `url`."""
        with session_for(ca_file) as session:
            answer = session.get(f"{url}/control/environment", timeout=_TIMEOUT)
            answer.raise_for_status()
            described: dict[str, Any] = answer.json()
        return cls(
            url=url,
            organisation_id=described["organisation_id"],
            application=_client(described, "application", url, ca_file),
            person=_client(described, "human", url, ca_file),
            app_audiences=tuple(described["app_audiences"]),
        )


def session_for(ca_file: str | Path) -> requests.Session:
    """A session that trusts the stand-in's certificate, and looks up neither proxies nor netrc."""
    session = requests.Session()
    session.verify = str(ca_file)
    session.trust_env = False
    return session


def sign_in(url: str, client: DataverseClient) -> requests.Session:
    """A session with a token of the client credentials flow; raises `requests.HTTPError` when that is refused."""
    session = session_for(client.ca_file)
    answer = session.post(
        f"{client.authority}/{client.tenant}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.secret,
            "scope": f"{url}/.default",
        },
        timeout=_TIMEOUT,
    )
    answer.raise_for_status()
    session.headers.update(
        {
            "Authorization": f"Bearer {answer.json()['access_token']}",
            "Accept": "application/json",
            "OData-Version": "4.0",
            "OData-MaxVersion": "4.0",
        }
    )
    return session


def _client(described: dict[str, Any], name: str, url: str, ca_file: str | Path) -> DataverseClient:
    return DataverseClient(
        tenant=described["tenant_id"],
        client_id=described[name]["client_id"],
        secret=described[name]["secret"],
        authority=url,
        ca_file=str(ca_file),
    )
