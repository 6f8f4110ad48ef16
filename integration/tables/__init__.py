"""Azure Tables over its REST interface: the part that the ledger needs, with a fraction of the SDK's CPU time."""

from integration.tables.account import Account, table_account
from integration.tables.entity import Entity, Versioned
from integration.tables.errors import EntityExists, PreconditionFailed, TableRejected
from integration.tables.table import Page, Table, quoted

__all__ = [
    "Account",
    "Entity",
    "EntityExists",
    "Page",
    "PreconditionFailed",
    "Table",
    "TableRejected",
    "Versioned",
    "quoted",
    "table_account",
]
