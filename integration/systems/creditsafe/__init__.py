"""Creditsafe Connect, API v1: `Scoring` over company credit reports, each of which is charged.

Source: doc.creditsafe.com, Connect API (Authentication, Credit & Risk, Error Code Status, Rate Limiting).
"""

from integration.systems.creditsafe.errors import creditsafe_failure
from integration.systems.creditsafe.scoring import Creditsafe
from integration.systems.creditsafe.sign_in import creditsafe_tokens

__all__ = ["Creditsafe", "creditsafe_failure", "creditsafe_tokens"]
