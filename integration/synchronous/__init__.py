"""Questions that Dataverse asks while a user waits: a check answers whether the save may go through."""

from integration.synchronous.asked import Asked
from integration.synchronous.check import ALLOWED, Check, CheckResult, checks_in, refused

__all__ = ["ALLOWED", "Asked", "Check", "CheckResult", "checks_in", "refused"]
