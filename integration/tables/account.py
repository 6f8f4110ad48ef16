"""A storage account's table endpoint, from a connection string or from the account's name."""

from dataclasses import dataclass
from urllib.parse import quote

from integration.errors import ConfigurationError
from integration.tables.errors import MISSING, code_of, table_failure
from integration.tables.signing import Signer
from integration.transport import Authorizer, Request, Response, Transport

_DEVELOPMENT = {
    "AccountName": "devstoreaccount1",
    # Azurite's published key: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
    "AccountKey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    "TableEndpoint": "http://127.0.0.1:10002/devstoreaccount1",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The address of the tables and how calls are signed; `endpoint` has no slash at its end."""

    endpoint: str
    signer: Signer

    async def send(
        self,
        transport: Transport,
        operation: str,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Send one call and return its answer, whatever its status; `path` is quoted already.

        A connection that ends before the answer is replaced: what is written twice meets `EntityExists` or
        `PreconditionFailed` the second time, which who writes has to expect anyway.
        """
        url = f"{self.endpoint}/{path}"
        request = Request(
            "ledger",
            operation,
            method,
            url,
            {**_HEADERS, **(headers or {}), **self._admitted(url)},
            body,
            repeatable=True,
        )
        return await transport.send(request, authorizer=self.signer.tokens)

    async def create_table(self, transport: Transport, name: str) -> None:
        """Create the table unless it exists."""
        answer = await self.send(
            transport,
            "create table",
            "POST",
            "Tables",
            headers={"Content-Type": "application/json", "Prefer": "return-no-content"},
            body=b'{"TableName":"%b"}' % name.encode(),
        )
        if not answer.ok and code_of(answer) != "TableAlreadyExists":
            raise table_failure(answer)

    async def delete_table(self, transport: Transport, name: str) -> None:
        """Delete the table and all that is in it; does nothing if there is none."""
        answer = await self.send(transport, "delete table", "DELETE", f"Tables('{quote(name)}')")
        if not answer.ok and not (answer.status == 404 and code_of(answer) in MISSING):
            raise table_failure(answer)

    async def tables(self, transport: Transport) -> list[str]:
        """The names of all tables of the account."""
        names: list[str] = []
        path = "Tables"
        while path:
            answer = await self.send(transport, "list tables", "GET", path)
            if not answer.ok:
                raise table_failure(answer)
            names += [str(it["TableName"]) for it in answer.json()["value"]]
            following = answer.headers.get("x-ms-continuation-nexttablename")
            path = f"Tables?NextTableName={quote(following, safe='')}" if following else ""
        return names

    def _admitted(self, url: str) -> dict[str, str]:
        return dict(self.signer.headers(url))


def table_account(
    *, connection_string: str | None, account_name: str | None, tokens: Authorizer | None = None
) -> Account:
    """The account; without a connection string it is reached by name with `tokens` of the managed identity.

    Raises `ConfigurationError` if the connection string names neither an account nor an endpoint.
    """
    if connection_string is None:
        if not account_name or tokens is None:
            raise ConfigurationError("AzureWebJobsStorage: neither a connection string nor an account name is set")
        return Account(f"https://{account_name}.table.core.windows.net", Signer(account_name, None, tokens))
    parts = dict(part.split("=", 1) for part in connection_string.strip().split(";") if "=" in part)
    if parts.get("UseDevelopmentStorage", "").lower() == "true":
        parts = {**_DEVELOPMENT, **parts}
    name, key = parts.get("AccountName"), parts.get("AccountKey")
    if not name or not key:
        raise ConfigurationError("AzureWebJobsStorage: the connection string has no AccountName or no AccountKey")
    scheme, suffix = parts.get("DefaultEndpointsProtocol", "https"), parts.get("EndpointSuffix", "core.windows.net")
    endpoint = parts.get("TableEndpoint") or f"{scheme}://{name}.table.{suffix}"
    return Account(endpoint.rstrip("/"), Signer(name, key, None))


_HEADERS = {"Accept": "application/json;odata=nometadata", "DataServiceVersion": "3.0"}
