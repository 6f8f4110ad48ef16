"""The claim check: what an event carries and its message cannot hold is kept in Blob Storage until the event ends.

Pattern: Hohpe and Woolf, "Enterprise Integration Patterns", Claim Check.
"""

from integration.claim_check.claim_check import ClaimCheck, erase
from integration.claim_check.store import BlobContents, ContentStore
from integration.claim_check.sweep import ClaimSweep

__all__ = ["BlobContents", "ClaimCheck", "ClaimSweep", "ContentStore", "erase"]
