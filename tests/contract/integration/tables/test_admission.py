"""How calls are admitted: shared key by both styles of address, tokens of an identity, connection strings."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from integration.clock import SystemClock
from integration.errors import ConfigurationError, Outage
from integration.tables import Account, Table, table_account
from integration.tables.signing import Signer
from integration.transport import CallContext, Host, Limits, Request, Response, Token, Transport
from integration.transport.authorize import Authorizer, BearerTokens
from integration.transport.exchange import NO_CONTEXT

KEY = base64.b64encode(b"a key").decode()


class Recorder(Transport):
    """Sends nothing and keeps what would have been sent, with the headers of the authorizer."""

    def __init__(self) -> None:
        super().__init__([], clock=SystemClock())
        self.sent: list[Request] = []
        self.given: Mapping[str, str] = {}

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        self.sent.append(request)
        self.given = await authorizer.headers() if authorizer else {}
        return Response(request, 204, {}, b"")


def signature(account: str, path: str, date: str) -> str:
    """Shared Key Lite for the Table service, as its page has it: date, newline, `/account` and the address' path."""
    digest = hmac.new(base64.b64decode(KEY), f"{date}\n/{account}{path}".encode(), hashlib.sha256).digest()
    return f"SharedKeyLite {account}:{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("connection", "path"),
    [
        (
            f"DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={KEY};EndpointSuffix=core.windows.net",
            "/things(PartitionKey='a%20b',RowKey='50%25')",
        ),
        (
            f"AccountName=contoso;AccountKey={KEY};TableEndpoint=http://127.0.0.1:10002/contoso/",
            "/contoso/things(PartitionKey='a%20b',RowKey='50%25')",
        ),
    ],
)
async def test_the_accounts_key_signs_date_and_path_as_they_are_sent(connection: str, path: str) -> None:
    """On an account's own host, and with the account in the path as Azurite has it."""
    recorder = Recorder()
    await Table(table_account(connection_string=connection, account_name=None), recorder, "things").replace(
        {"PartitionKey": "a b", "RowKey": "50%"}, etag=None
    )
    (sent,) = recorder.sent
    assert urlsplit(sent.url).path == path
    assert sent.headers["Authorization"] == signature("contoso", path, sent.headers["x-ms-date"])
    assert sent.headers["x-ms-version"] >= "2015-12-11"


async def test_an_identity_brings_its_token_and_no_signature() -> None:
    """The transport asks for the token, so that a refused one is renewed."""

    async def fetch() -> Token:
        return Token("a-token", 3600)

    tokens = BearerTokens(fetch, clock=SystemClock())
    account = table_account(connection_string=None, account_name="contoso", tokens=tokens)
    recorder = Recorder()
    await Table(account, recorder, "things").merge({"PartitionKey": "p", "RowKey": "1"})
    (sent,) = recorder.sent
    assert sent.url == "https://contoso.table.core.windows.net/things(PartitionKey='p',RowKey='1')"
    assert "Authorization" not in sent.headers
    assert sent.headers["x-ms-version"] >= "2017-11-09"  # the oldest that takes tokens
    assert recorder.given == {"Authorization": "Bearer a-token"}


async def test_a_wrong_key_is_an_outage(account: Account, name: str) -> None:
    """Azurite refuses it, as Azure does."""
    wrong = Account(account.endpoint, Signer("devstoreaccount1", KEY, None))
    transport = Transport([Host(account.endpoint, limits=Limits())], clock=SystemClock())
    with pytest.raises(Outage) as raised:
        await Table(wrong, transport, name).get("p", "1")
    await transport.aclose()
    assert raised.value.reason == "ledger-forbidden"


def test_the_development_account_needs_no_more_than_its_name() -> None:
    """As in local.settings.json.example."""
    account = table_account(connection_string="UseDevelopmentStorage=true", account_name=None)
    assert account.endpoint == "http://127.0.0.1:10002/devstoreaccount1"


@pytest.mark.parametrize("text", ["", "AccountName=a", "AccountKey=aaaa", "not a connection string"])
def test_a_connection_string_without_account_or_key_is_refused(text: str) -> None:
    """The message names the setting, never its value."""
    with pytest.raises(ConfigurationError, match="AzureWebJobsStorage"):
        table_account(connection_string=text, account_name=None)


def test_without_a_connection_string_the_accounts_name_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="AzureWebJobsStorage"):
        table_account(connection_string=None, account_name=None)
