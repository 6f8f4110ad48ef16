"""Authorises calls to the tables: with the storage account's key, or with a token of the managed identity."""

import base64
import hmac
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from integration.transport import Authorizer

_VERSION = "2020-12-06"
"""The version of the REST interface that is sent with every call."""


class Signer:
    """Gives the headers with the date, version and authorisation of one call."""

    def __init__(self, account: str, key: str | None, tokens: Authorizer | None) -> None:
        self._account = account
        self._key = base64.b64decode(key) if key else None
        self._tokens = tokens

    @property
    def tokens(self) -> Authorizer | None:
        """The source of bearer tokens for the transport; None if the account's key signs."""
        return self._tokens

    def headers(self, url: str) -> Mapping[str, str]:
        """`x-ms-date`, the version and, with the account's key, `Authorization: SharedKeyLite`.

        https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key (Shared Key Lite, Table service)
        """
        date = _http_date(int(time.time()))
        headers = {"x-ms-date": date, "x-ms-version": _VERSION}
        if self._key is not None:
            path = url.partition("://")[2].partition("/")[2].partition("?")[0]
            signature = hmac.digest(self._key, f"{date}\n/{self._account}/{path}".encode(), "sha256")
            headers["Authorization"] = f"SharedKeyLite {self._account}:{base64.b64encode(signature).decode()}"
        return headers


@lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
