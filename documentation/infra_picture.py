"""The picture of production as it is deployed, drawn from its golden expansion, light and dark."""

from collections import Counter
from pathlib import Path

from documentation.drawing import THEMES, Drawing, document
from documentation.source import REPOSITORY
from sandbox.deployment.inventory import Inventory, Resource

FILES = {theme: REPOSITORY / "docs" / "assets" / f"infra-{theme}.svg" for theme in THEMES}
_LEFT, _MIDDLE, _RIGHT, _GAP = 8, 216, 424, 26
_DESCRIPTION = (
    "Dataverse and support reach the function app through its access rules. From its subnet the app reaches Service "
    "Bus, Event Hubs and storage by private endpoints, and the ERP by one outbound address. Key Vault, the account of "
    "the package and telemetry are reached with Entra tokens. Copies of the ledger go into an account of their own."
)


def current() -> dict[Path, str]:
    """The picture's files as they should be."""
    drawing, height = _production(Inventory.read("prod"))
    title = "Production"
    return {
        file: document(drawing, height, theme, title=title, description=_DESCRIPTION) for theme, file in FILES.items()
    }


def _production(inventory: Inventory) -> tuple[Drawing, float]:
    it = Drawing()

    def one(kind: str, beginning: str = "") -> Resource:
        return next(x for x in inventory.resources if x.kind == kind and x.name.startswith(beginning))

    count = Counter(x.kind for x in inventory.resources)
    alerts = count["Insights/metricAlerts"] + count["Insights/scheduledQueryRules"]

    bottom = it.box(
        _LEFT, 8, _RIGHT, ["Dataverse, Power Platform, support", "let in by service tags and an address range"]
    )
    top = bottom + _GAP
    it.arrow((_MIDDLE, bottom), (_MIDDLE, top))
    scale = one("Web/sites").facts.split(", ")
    bottom = it.box(_LEFT, top, _RIGHT, ["Function app, Flex Consumption, in zones", *scale], kind="azure")
    top = bottom + _GAP + 8
    it.text(_MIDDLE, bottom + 22, f"virtual network: {count['Network/privateEndpoints']} private endpoints")

    def row(top: float, left: list[str], right: list[str]) -> float:
        return max(
            it.box(_LEFT, top, _MIDDLE - 8, left, kind="azure"), it.box(_MIDDLE + 8, top, _RIGHT, right, kind="azure")
        )

    bus, hub = one("ServiceBus/namespaces"), one("EventHub/namespaces")
    it.arrow((100, bottom), (100, top))
    it.arrow((332, bottom), (332, top))
    bottom = row(top, ["Service Bus", bus.facts, "`work`"], ["Event Hubs", hub.facts, "`integration-events`"])
    accounts = {part: one("Storage/storageAccounts", part).facts for part in ("stdvint", "stp", "stc")}
    top = bottom + 12
    bottom = row(
        top,
        ["Storage", accounts["stdvint"], "host, ledger, archive"],
        ["Storage for copies", accounts["stc"], "from the subnet alone"],
    )
    top = bottom + _GAP + 8
    it.text(_MIDDLE, bottom + 22, "public addresses, with Entra tokens")
    bottom = row(
        top, ["Key Vault", "purge protection"], ["Storage for the package", f"{accounts['stp']}, own identity"]
    )
    top = bottom + 12
    bottom = row(
        top,
        ["Application Insights", f"{alerts} alerts, {one('OperationalInsights/workspaces').facts.split(', ')[1]}"],
        ["NAT gateway", "one address, to ERP and scoring"],
    )
    return it, bottom + 8
