"""Dataverse: tokens, the Web API client, and what its errors mean."""

from integration.dataverse.client import DataverseClient, WhoAmI
from integration.dataverse.row import Row
from integration.dataverse.token import client_secret_tokens, managed_identity_tokens

__all__ = ["DataverseClient", "Row", "WhoAmI", "client_secret_tokens", "managed_identity_tokens"]
