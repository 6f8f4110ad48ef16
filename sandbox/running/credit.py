"""Which credit scoring the sandbox has: a stand-in for each kind, and the app's settings for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Credit:
    """A kind of credit scoring.

    `module` is run as its stand-in, with its key as the option `secret`, and keeps its charges in `books`. `system` is
    what SYSTEMS says of it at its address, and `key` names which of its keys the secret is.
    """

    module: str
    secret: str
    books: str
    key: str
    system: Callable[[str], Mapping[str, Any]]

    def command(self, port: int, data: Path, secret: str) -> list[str]:
        """The module of the stand-in, and its options."""
        return [self.module, "--port", str(port), "--db", str(data / self.books), self.secret, secret]

    def setting(self, secret: str) -> dict[str, str]:
        """The setting with its key."""
        return {f"SYSTEMS_CREDIT_{self.key}": secret}


CREDITS: Mapping[str, Credit] = {
    "rest": Credit(
        "sandbox.systems.credit",
        "--api-key",
        "credit.sqlite",
        "API_KEY",
        lambda url: {"adapter": "rest-scoring", "url": url},
    ),
    "creditsafe": Credit(
        "sandbox.systems.creditsafe",
        "--client-secret",
        "creditsafe.sqlite",
        "PASSWORD",
        lambda url: {
            "adapter": "creditsafe",
            "url": f"{url}/v1",
            "username": "creditsafe-sandbox-client",
            "countries": {"Austria": "AT", "Germany": "DE", "United Kingdom": "GB", "United States": "US"},
        },
    ),
}
DEFAULT_CREDIT = "rest"
