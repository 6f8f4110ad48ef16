"""Dataverse: tokens, the Web API client, and what its errors mean."""

from integration.dataverse.client import ROW_GONE, DataverseClient, WhoAmI
from integration.dataverse.row import Row
from integration.dataverse.token import client_secret_tokens, managed_identity_tokens

__all__ = ["ROW_GONE", "DataverseClient", "Row", "WhoAmI", "client_secret_tokens", "managed_identity_tokens"]
