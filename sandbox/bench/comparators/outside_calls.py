"""The worker's three calls for an account: read the row, bring the ERP customer to its state, write the number back."""

import os
import ssl
from typing import Any

import aiohttp

_DATAVERSE = os.environ["DATAVERSE_URL"]
_ERP = os.environ["ERP_URL"]
_CA_FILE = os.environ["DATAVERSE_CA_FILE"]
_SELECT = (
    "name,emailaddress1,telephone1,address1_line1,address1_postalcode,address1_city,address1_country,statecode,"
    "versionnumber"
)
_READ = f"?$select={_SELECT}&$expand=transactioncurrencyid($select=isocurrencycode)"
_ODATA = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
_CONNECTIONS = 100


class OutsideCalls:
    """Dataverse and the ERP over kept connections; raises `aiohttp.ClientError` for refusals."""

    def __init__(self, session: aiohttp.ClientSession, token: str) -> None:
        self._session = session
        self._authorization = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def open(cls) -> "OutsideCalls":
        """Sign in."""
        tls = ssl.create_default_context(cafile=_CA_FILE)
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=tls)
        session = aiohttp.ClientSession(connector=connector, raise_for_status=True)
        form = {"grant_type": "client_credentials", "client_id": "comparator", "client_secret": "-", "scope": "-"}
        async with session.post(f"{_DATAVERSE}/tenant/oauth2/v2.0/token", data=form) as answer:
            return cls(session, (await answer.json())["access_token"])

    async def read(self, account: str) -> dict[str, Any]:
        """The row as it is now."""
        async with self._session.get(self._row(account) + _READ, headers=self._authorization | _ODATA) as answer:
            row: dict[str, Any] = await answer.json()
            return row

    async def put_customer(self, account: str, row: dict[str, Any], key: str) -> str:
        """The number of the ERP customer."""
        customer = {
            "name": row["name"],
            "kind": "organisation",
            "email": row["emailaddress1"],
            "phone": row["telephone1"],
            "currency": row["transactioncurrencyid"]["isocurrencycode"],
            "address": {
                "line1": row["address1_line1"],
                "postalCode": row["address1_postalcode"],
                "city": row["address1_city"],
                "country": row["address1_country"],
            },
            "status": "active",
            "sourceVersion": row["versionnumber"],
        }
        url = f"{_ERP}/api/customers/{account}"
        async with self._session.put(url, json=customer, headers={"Idempotency-Key": key}) as answer:
            return str((await answer.json())["customerNumber"])

    async def write_back(self, account: str, etag: str, number: str) -> None:
        """Write the number to the row, unless somebody has changed it since."""
        headers = self._authorization | _ODATA | {"If-Match": etag, "Prefer": "return=representation"}
        columns = {"new_erpnumber": number, "new_syncstatus": 1}
        async with self._session.patch(self._row(account), json=columns, headers=headers) as answer:
            await answer.read()

    def _row(self, account: str) -> str:
        return f"{_DATAVERSE}/api/data/v9.2/accounts({account})"
