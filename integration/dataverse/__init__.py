"""Dataverse: tokens, the Web API client, and the meaning of its errors."""

from integration.dataverse.batch import answers_of
from integration.dataverse.batched_writes import Batched
from integration.dataverse.client import DataverseClient, WhoAmI
from integration.dataverse.errors import ROW_NOT_FOUND, dataverse_failure
from integration.dataverse.row import Row, differs, related_rows, version_of
from integration.dataverse.token import client_secret_tokens, scope_of

__all__ = [
    "ROW_NOT_FOUND",
    "Batched",
    "DataverseClient",
    "Row",
    "WhoAmI",
    "answers_of",
    "client_secret_tokens",
    "dataverse_failure",
    "differs",
    "related_rows",
    "scope_of",
    "version_of",
]
