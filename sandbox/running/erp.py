"""Which ERP the sandbox has: a stand-in for each kind, and the app's settings for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.azure import topology
from sandbox.systems.business_central.admission import SCOPE
from sandbox.systems.business_central.api import COMPANY_ID
from sandbox.systems.finance_operations.company import COMPANIES


@dataclass(frozen=True, slots=True)
class Erp:
    """A kind of ERP.

    `module` is run as its stand-in, with its key as the option `secret`, and keeps its books in `books`. `system` is
    what SYSTEMS says of it at its address, and `key` names which of its keys the secret is. One that `sends_events` is
    told where to, one with `business_events` of a queue and of Event Grid too; the app subscribes to one that can be
    `subscribed` to. One that is not `on_premises` is in the cloud only.
    """

    module: str
    secret: str
    books: str
    key: str
    system: Callable[[str], Mapping[str, Any]]
    sends_events: bool = False
    business_events: bool = False
    subscribed: bool = False
    on_premises: bool = True

    def command(  # noqa: PLR0917 -- called once
        self, port: int, data: Path, secret: str, app: str, events_key: str, service_bus: str
    ) -> list[str]:
        """The module of the stand-in, and its options.

        `app` is the address to which it sends events (empty: it sends none), `service_bus` the connection string of the
        broker.
        """
        options = [self.module, "--port", str(port), "--db", str(data / self.books), self.secret, secret]
        if self.sends_events and app:
            options += ["--events-url", f"{app}/api/erp/events", "--events-key", events_key]
        if self.business_events and app:
            options += ["--events-service-bus", service_bus]
            options += ["--events-queue", topology.optional_settings()["BUSINESS_EVENTS_QUEUE"]]
            options += ["--event-grid-url", f"{app}/api/event-grid?code={events_key}"]
        return options

    def settings(
        self, url: str, secret: str, others: Mapping[str, Mapping[str, Any]], more: Mapping[str, Any]
    ) -> dict[str, str]:
        """The app's settings for it, with `more` that is said of it, and in SYSTEMS for other systems."""
        systems = {"erp": {**self.system(url), **more}, **others}
        return {"SYSTEMS": json.dumps(systems), f"SYSTEMS_ERP_{self.key}": secret}


_MATCH_BY = ["accountNumber", "taxNumber"]
"""By what customers are found that the ERP had before."""

ERPS: Mapping[str, Erp] = {
    "rest": Erp(
        "sandbox.systems.erp",
        "--api-key",
        "erp.sqlite",
        "API_KEY",
        lambda url: {"adapter": "rest-erp", "url": url, "matchBy": _MATCH_BY},
        sends_events=True,
    ),
    "business-central": Erp(
        "sandbox.systems.business_central",
        "--client-secret",
        "business-central.sqlite",
        "CLIENT_SECRET",
        lambda url: {
            "adapter": "business-central",
            "url": f"{url}/v2.0/sandbox/api/v2.0",
            "tokenUrl": f"{url}/sandbox/oauth2/v2.0/token",
            "clientId": "business-central-sandbox-client",
            "scope": SCOPE,
            "company": COMPANY_ID,
            "localCurrency": "EUR",
            "lineNumber": "8400",
            "matchBy": _MATCH_BY,
            # A stand-in that is killed loses its requests; nobody wants to wait ten minutes for one of those.
            "unknownSeconds": 20,
        },
        subscribed=True,
    ),
    "finance-operations": Erp(
        "sandbox.systems.finance_operations",
        "--client-secret",
        "finance-operations.sqlite",
        "CLIENT_SECRET",
        lambda url: {
            "adapter": "finance-operations",
            "url": url,
            "tokenUrl": f"{url}/sandbox/oauth2/v2.0/token",
            "clientId": "finance-operations-sandbox-client",
            "scope": f"{url}/.default",
            "company": COMPANIES[0],
            "customerGroup": "10",
            "localCurrency": "EUR",
            "itemNumber": "S0001",
            "matchBy": _MATCH_BY,
            "unknownSeconds": 20,
        },
        sends_events=True,
        business_events=True,
        on_premises=False,
    ),
}
DEFAULT = "rest"
